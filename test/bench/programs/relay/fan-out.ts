import { verify } from '../tasks.js'
import type { DialectName } from './dialect.js'
import { dialects } from './dialects.js'
import { markOf, readMarks } from './marks.js'
import { framed } from './raw-socket.js'
import { cpuSecondsOf, joinRoom, settle, waitFor } from './room.js'

export interface Server {
  readonly dialect: DialectName
  readonly port: number
  readonly pid: number
}

export interface FanOut extends Server {
  readonly readers: number
  readonly updates: number
}

export interface FanOutResult {
  /** Until everybody had everything. */
  readonly seconds: number
  /** Of the server. */
  readonly cpuSeconds: number
}

const ENTITIES = 100
/** Updates that the writer sends ahead of the slowest reader: the server is always busy, and never swamped. */
const WINDOW = 200
const WARM_UP = 0.2

/** One writes as fast as the slowest reader reads. */
export async function fanOut({
  dialect: name,
  port,
  pid,
  readers,
  updates,
}: FanOut): Promise<FanOutResult> {
  const dialect = dialects[name]
  const writer = dialect.writer('fan-out', 'writer', ENTITIES)
  const author = await joinRoom(dialect, port, 'fan-out', 'writer')
  await settle(dialect, author, writer.base)
  const warmUp = Math.round(updates * WARM_UP)
  const frames = Array.from({ length: warmUp + updates }, (_, index) =>
    framed(writer.next(markOf(index))),
  )
  const seen = new Array<number>(readers).fill(0)
  let sent = 0
  let last = 0
  let isPumping = false
  let arrived = (): void => {}

  function pump(): void {
    isPumping = false
    const slowest = Math.min(...seen)
    if (slowest === last) arrived()
    const until = Math.min(last, slowest + WINDOW)
    if (until > sent) author.write(Buffer.concat(frames.slice(sent, until)))
    sent = Math.max(sent, until)
  }

  function wake(): void {
    if (isPumping) return
    isPumping = true
    setImmediate(pump)
  }

  for (let reader = 0; reader < readers; reader++) {
    const socket = await joinRoom(dialect, port, 'fan-out', `reader-${reader}`)
    socket.onMessage = (bytes, start, end) => {
      readMarks(bytes, start, end, (index) => {
        verify(index === seen[reader], `reader ${reader} got ${index} after ${seen[reader]}`)
        seen[reader] = index + 1
      })
      wake()
    }
  }

  async function run(until: number): Promise<void> {
    last = until
    await waitFor('readers', (done, fail) => {
      arrived = done
      author.onClose = fail
      wake()
    })
  }

  await run(warmUp)
  const [start, cpu] = [performance.now(), cpuSecondsOf(pid)]
  await run(warmUp + updates)
  return {
    seconds: (performance.now() - start) / 1_000,
    cpuSeconds: cpuSecondsOf(pid) - cpu,
  }
}
