import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Readiness, RelayMetrics, RelayStats } from '../relay/index.js'
import type { StorageTotals } from '../storage/index.js'

/** Measures how late timers of this resolution fire. */
const LAG_RESOLUTION_MS = 10
/** What is counted in the storage is counted no more often than that, and no more than a thousandth of the time. */
const MIN_RECOUNT_MS = 60_000
const RECOUNT_SHARE = 1_000
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** What the relay tells about itself in the format of Prometheus. Labels are of fixed sets: no users, spaces or addresses. */
export interface Prometheus {
  readonly metrics: RelayMetrics
  readonly contentType: string
  /** Names what is asked when somebody looks. */
  observe(observed: Observed): void
  render(): Promise<string>
  close(): void
}

export interface Observed {
  readonly stats: () => RelayStats
  readonly ready: () => Readiness
  readonly totals: () => Promise<StorageTotals>
  /** Sockets that have not been welcomed yet. */
  readonly handshakes: () => number
}

export function createPrometheus(): Prometheus {
  const registry = new Registry()
  const registers = [registry]
  const counter = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
  ): Counter<L> => new Counter({ name: `tidemark_${name}`, help, labelNames, registers })
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
  ): Gauge<L> => new Gauge({ name, help, labelNames, registers })
  const histogram = (name: string, help: string, buckets: number[]): Histogram =>
    new Histogram({ name: `tidemark_${name}`, help, buckets, registers })

  const received = counter('received_bytes_total', 'Bytes of frames that clients sent.')
  const sent = counter('sent_bytes_total', 'Bytes of frames that were sent to clients.')
  const operations = counter('operations_total', 'Operations by what became of them.', ['verdict'])
  const commitSeconds = histogram(
    'commit_seconds',
    'From the first operation of a batch to its fsync.',
    SECONDS,
  )
  const batches = histogram('commit_operations', 'Operations that shared a commit.', BATCHES)
  const failures = counter('storage_failures_total', 'Commits that failed.')
  const pages = counter('catch_up_pages_total', 'Pages of catching up that were sent.')
  const pagedEntities = counter('catch_up_entities_total', 'Entities on those pages.')
  const closed = counter(
    'connections_closed_total',
    'Connections by close code; "client": the other side.',
    ['code'],
  )
  const limits = counter('limits_hit_total', 'How often a limit was hit.', ['limit'])

  const connections = gauge('tidemark_connections', 'Connections by state.', ['state'])
  const handshakes = gauge('tidemark_handshakes', 'Sockets that have not been welcomed yet.')
  const spacesOpen = gauge('tidemark_spaces_open', 'Spaces that somebody listens to.')
  const buffered = gauge('tidemark_buffered_bytes', 'Bytes that wait for slow readers.')
  const queues = gauge('tidemark_queue_length', 'What waits for the storage.', ['queue'])
  const ready = gauge('tidemark_ready', 'Whether operations are taken: 1 or 0.')
  const spaces = gauge('tidemark_spaces', 'Spaces in the storage.')
  const entities = gauge('tidemark_entities', 'Entities in the storage, deleted ones among them.')
  const lag = gauge(
    'tidemark_event_loop_lag_seconds',
    'How late the event loop was since the last look.',
    ['quantile'],
  )
  const resident = gauge('process_resident_memory_bytes', 'Resident memory.')
  const heap = gauge('nodejs_heap_size_used_bytes', 'Heap in use.')
  const cpu = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time, user and system.',
    registers,
  })
  const started = gauge('process_start_time_seconds', 'Start of the process since the epoch.')

  const delays = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  delays.enable()
  let recountAt = 0

  function lagAt(nanoseconds: number): number {
    return Math.max(0, nanoseconds / 1e9 - LAG_RESOLUTION_MS / 1000)
  }

  function lookAtProcess(): void {
    lag.set({ quantile: '0.5' }, lagAt(delays.percentile(50)))
    lag.set({ quantile: '0.99' }, lagAt(delays.percentile(99)))
    lag.set({ quantile: '1' }, lagAt(delays.max))
    delays.reset()
    const memory = process.memoryUsage()
    resident.set(memory.rss)
    heap.set(memory.heapUsed)
    const { user, system } = process.cpuUsage()
    cpu.reset()
    cpu.inc((user + system) / 1e6)
    started.set(Math.round(Date.now() / 1000 - process.uptime()))
  }

  function lookAt(observed: Observed): void {
    const stats = observed.stats()
    connections.set({ state: 'greeting' }, stats.greeting)
    connections.set({ state: 'open' }, stats.open)
    handshakes.set(observed.handshakes())
    spacesOpen.set(stats.spaces)
    buffered.set(stats.bufferedBytes)
    queues.set({ queue: 'operations' }, stats.queuedOperations)
    queues.set({ queue: 'reads' }, stats.queuedReads)
    ready.set(observed.ready().ready ? 1 : 0)
  }

  /** A storage that hangs must not keep the other numbers back: the next look has them. */
  async function recount(totals: Observed['totals']): Promise<void> {
    const start = performance.now()
    if (start < recountAt) return
    recountAt = Number.POSITIVE_INFINITY
    try {
      const counted = await totals()
      spaces.set(counted.spaces)
      entities.set(counted.entities)
    } catch {
      failures.inc()
    }
    const end = performance.now()
    recountAt = end + Math.max(MIN_RECOUNT_MS, (end - start) * RECOUNT_SHARE)
  }

  let observed: Observed | undefined
  return {
    contentType: registry.contentType,
    metrics: {
      received: (bytes) => received.inc(bytes),
      sent: (bytes) => sent.inc(bytes),
      judged: (verdict) => operations.inc({ verdict }),
      committing() {
        const start = performance.now()
        return (count) => {
          commitSeconds.observe((performance.now() - start) / 1000)
          batches.observe(count)
        }
      },
      storageFailed: () => failures.inc(),
      page(count) {
        pages.inc()
        pagedEntities.inc(count)
      },
      closed: (code) => closed.inc({ code: code ?? 'client' }),
      limitHit: (limit) => limits.inc({ limit }),
    },
    observe(whom) {
      observed = whom
    },
    render() {
      lookAtProcess()
      if (observed !== undefined) {
        lookAt(observed)
        void recount(observed.totals)
      }
      return registry.metrics()
    },
    close: () => delays.disable(),
  }
}
