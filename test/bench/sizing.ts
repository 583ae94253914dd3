import { readFileSync, statSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { EMPTY_CONTENT, formatActor, writeRegisters } from '@tidemark/core/entity'
import {
  type ClientMessage,
  decodeRelayMessage,
  encodeClientMessage,
  PROTOCOL_VERSION,
  type RelayMessage,
  SUBPROTOCOL,
  type WireOperation,
} from '@tidemark/core/protocol'
import { WebSocket } from 'ws'
import { endProcess, type OwnedProcess, spawnOwned } from '../support/owned-process.js'
import { inRepository, removeFolder, temporaryFolder } from '../support/repository.js'
import { FULL_SPEED } from './relay/servers.js'

/**
 * What a relay needs, for `docs/operations.md`: memory of a connection, disk of an entity, operations a second, time of a
 * backup. One run, of a built relay, on the machine that it runs on; prints a table.
 */
const CONNECTIONS = 1_000
const ENTITIES = 10_000
const WRITERS = 8
const IN_FLIGHT = 32
const MIB = 1024 * 1024

const CLI = inRepository('packages/server/dist/cli.js')

interface Connection {
  readonly socket: WebSocket
  send(message: ClientMessage): void
  onMessage: (message: RelayMessage) => void
}

async function startRelay(data: string): Promise<{ child: OwnedProcess; url: string }> {
  const child = spawnOwned(process.execPath, [
    CLI,
    'serve',
    '--port',
    '0',
    '--data',
    data,
    ...FULL_SPEED,
  ])
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    const url = /^Tidemark relay on http:(\S+)$/.exec(line)?.[1]
    if (url !== undefined) return { child, url: `ws:${url}` }
  }
  throw new Error('the relay did not start')
}

async function connect(url: string, user: string, space: string): Promise<Connection> {
  const socket = new WebSocket(url, SUBPROTOCOL, { perMessageDeflate: false })
  const connection: Connection = {
    socket,
    send: (message) => socket.send(encodeClientMessage(message)),
    onMessage: () => {},
  }
  socket.on('message', (data: Buffer) =>
    connection.onMessage(decodeRelayMessage(new Uint8Array(data))),
  )
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  const replica = `device-${user}`
  connection.send({ type: 'hello', protocol: PROTOCOL_VERSION, user, token: '', replica })
  connection.send({ type: 'open', channel: 1, space })
  connection.send({ type: 'subscribe', channel: 1, since: 0, fresh: true })
  await new Promise<void>((resolve) => {
    connection.onMessage = (message) => {
      if (message.type === 'caughtUp') resolve()
    }
  })
  return connection
}

function residentBytes(child: OwnedProcess): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
  return Number(kilobytes?.[1]) * 1024
}

async function measureConnections(): Promise<readonly [string, string][]> {
  const folder = temporaryFolder('sizing')
  const { child, url } = await startRelay(join(folder, 'data'))
  const first = await connect(url, 'warm', 'space-warm')
  const before = residentBytes(child)
  const connections: Connection[] = []
  for (let index = 0; index < CONNECTIONS; index++)
    connections.push(await connect(url, `user-${index}`, `space-${index % 50}`))
  const after = residentBytes(child)
  for (const { socket } of [first, ...connections]) socket.terminate()
  await endProcess(child, 'SIGTERM')
  removeFolder(folder)
  return [
    ['memory of a relay with one connection', `${(before / MIB).toFixed(0)} MiB`],
    [
      `memory of an idle connection (${CONNECTIONS} of them)`,
      `${((after - before) / CONNECTIONS / 1024).toFixed(0)} KiB`,
    ],
  ]
}

let time = Date.now() * 1000

/** A new entity of eight fields, some 150 bytes of values. */
function createEntity(user: string, id: number): WireOperation {
  const client = 1_000 + id
  const actor = formatActor({ user, replica: `device-${user}`, writer: client })
  time += 1
  const values: Record<string, string | number | boolean> = {
    title: `Card number ${id}`,
    url: `https://example.com/articles/${id}?from=list`,
    note: 'Lorem ipsum dolor sit amet, consectetur adipiscing.',
    author: user,
    done: id % 2 === 0,
    priority: id % 5,
    position: id / 7,
    color: '#3366ff',
  }
  const { update } = writeRegisters(
    EMPTY_CONTENT,
    client,
    Object.entries(values).map(([field, value]) => ({
      kind: 'set',
      field,
      value,
      lastModified: time,
      sequence: 1,
      actor,
      supersedes: [],
    })),
  )
  const name = { collection: 'cards', id: `card-${id}` }
  const version = { generation: '0', sequence: 1, lastModified: time }
  return { id: `operation-${id}`, parts: [{ ...name, kind: 'create', ...version, update }] }
}

/** Writers with a number of operations on their way at any time; resolves with the latencies. */
async function writeAll(url: string): Promise<{ latencies: number[]; seconds: number }> {
  const writers = await Promise.all(
    Array.from({ length: WRITERS }, (_, index) =>
      connect(url, `writer-${index}`, `space-${index}`),
    ),
  )
  const latencies: number[] = []
  let next = 0
  const begun = performance.now()
  await Promise.all(
    writers.map(
      (writer, index) =>
        new Promise<void>((resolve, reject) => {
          const sent = new Map<string, number>()
          const push = (): void => {
            if (next >= ENTITIES) {
              if (sent.size === 0) resolve()
              return
            }
            const operation = createEntity(`writer-${index}`, next)
            next += 1
            sent.set(operation.id, performance.now())
            writer.send({ type: 'push', channel: 1, operation })
          }
          writer.onMessage = (message) => {
            if (message.type === 'reject') reject(new Error(message.message))
            if (message.type !== 'ack') return
            latencies.push(performance.now() - (sent.get(message.id) ?? 0))
            sent.delete(message.id)
            push()
          }
          for (let count = 0; count < IN_FLIGHT; count++) push()
        }),
    ),
  )
  const seconds = (performance.now() - begun) / 1000
  for (const { socket } of writers) socket.terminate()
  return { latencies: latencies.sort((a, b) => a - b), seconds }
}

async function runCommand(...parameters: readonly string[]): Promise<number> {
  const begun = performance.now()
  const child = spawnOwned(process.execPath, [CLI, ...parameters])
  child.stdout.resume()
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${parameters[0]} ended with ${String(code)}`)
  return (performance.now() - begun) / 1000
}

async function measureWrites(): Promise<readonly [string, string][]> {
  const folder = temporaryFolder('sizing')
  const data = join(folder, 'data')
  const { child, url } = await startRelay(data)
  const { latencies, seconds } = await writeAll(url)
  const at = (share: number): string =>
    `${(latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(0)} ms`
  const backup = await runCommand('backup', '--data', data, '--to', join(folder, 'backups'))
  const resident = residentBytes(child)
  await endProcess(child, 'SIGTERM')
  const size = (): number => statSync(join(data, 'tidemark.db')).size / ENTITIES
  const written = size()
  const compact = await runCommand('compact', '--data', data)
  const compacted = size()
  removeFolder(folder)
  return [
    [
      `new entities a second, each acknowledged after its fsync (${WRITERS} writers, ${IN_FLIGHT} on their way each)`,
      `${Math.round(ENTITIES / seconds)}`,
    ],
    ['from sending to the acknowledgement, median and 99 %', `${at(0.5)}, ${at(0.99)}`],
    [`disk of an entity of eight fields, with the id of its operation`, `${written.toFixed(0)} B`],
    ['the same after `tidemark compact`', `${compacted.toFixed(0)} B`],
    [`memory of the relay after writing ${ENTITIES} of them`, `${(resident / MIB).toFixed(0)} MiB`],
    [`\`tidemark backup\` of ${ENTITIES} of them, relay running`, `${backup.toFixed(1)} s`],
    [`\`tidemark compact\` of ${ENTITIES} of them`, `${compact.toFixed(1)} s`],
  ]
}

const rows = [...(await measureConnections()), ...(await measureWrites())]
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${(totalmem() / MIB / 1024).toFixed(0)} GiB`
console.log(`${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${machine}\n`)
console.log('| what | measured |\n|---|---|')
for (const [what, measured] of rows) console.log(`| ${what} | ${measured} |`)
