import { readFileSync } from 'node:fs'
import { verify } from '../tasks.js'
import type { Dialect } from './dialect.js'
import { framed, openRawSocket, type RawSocket } from './raw-socket.js'

const DEADLINE_MS = 60_000
/** `/proc/<pid>/stat` counts in hundredths of a second on every Linux that Node runs on. */
const TICKS = 100

/** Connects, and resolves once everything that the room holds has come. */
export async function joinRoom(
  dialect: Dialect,
  port: number,
  room: string,
  user: string,
): Promise<RawSocket> {
  const socket = await openRawSocket(port, dialect.path(room), dialect.subprotocol)
  await waitFor(`${user} to join ${room}`, (done, fail) => {
    socket.onClose = fail
    socket.onMessage = (bytes, start, end) => {
      if (dialect.isJoined(bytes, start, end)) done()
    }
    socket.write(Buffer.concat(dialect.join(room, user).map((message) => framed(message))))
  })
  socket.onMessage = () => {}
  socket.onClose = () => {}
  return socket
}

/** Sends messages of a writer and waits until they are answered, or until `dialect` can be thought to have them. */
export async function settle(
  dialect: Dialect,
  socket: RawSocket,
  messages: readonly Uint8Array[],
): Promise<void> {
  const { isAnswer } = dialect
  let answers = 0
  await waitFor('answers', (done, fail) => {
    socket.onClose = fail
    socket.onMessage = (bytes, start, end) => {
      // Without answers: whoever writes gets what was written back.
      if (isAnswer === undefined ? end - start > 1 : isAnswer(bytes, start, end)) answers += 1
      if (answers === messages.length) done()
    }
    for (const message of messages) socket.write(framed(message))
  })
  socket.onMessage = () => {}
  socket.onClose = () => {}
}

export function waitFor(
  what: string,
  begin: (done: () => void, fail: () => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(deadline)
      reject(new Error(`Waiting for ${what}: ${why}.`))
    }
    const deadline = setTimeout(() => fail('it took too long'), DEADLINE_MS)
    begin(
      () => {
        clearTimeout(deadline)
        resolve()
      },
      () => fail('the connection was lost'),
    )
  })
}

/** Seconds of processor time that a process has had, with all of its threads. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const ticks = Number(fields[11]) + Number(fields[12])
  verify(Number.isFinite(ticks), `process ${pid} has no times`)
  return ticks / TICKS
}
