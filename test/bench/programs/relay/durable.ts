import { dialects } from './dialects.js'
import type { Server } from './fan-out.js'
import { markOf, readMarks } from './marks.js'
import { framed, type RawSocket } from './raw-socket.js'
import { cpuSecondsOf, joinRoom, settle, waitFor } from './room.js'

export interface Answers extends Server {
  readonly clients: number
  /** Over all clients. */
  readonly updates: number
}

export interface AnswersResult {
  readonly seconds: number
  readonly cpuSeconds: number
}

const ENTITIES = 20
/** Updates of one client that wait for an answer. */
const WINDOW = 8
const WARM_UP = 0.2

/**
 * Many clients, each alone in its room, write as fast as they are answered. Where nothing is answered, an update counts as
 * answered when the server sends it back.
 */
export async function answers(options: Answers): Promise<AnswersResult> {
  const { dialect: name, port, pid, clients } = options
  const dialect = dialects[name]
  const each = Math.ceil(options.updates / clients)
  const warmUp = Math.ceil(each * WARM_UP)
  const sockets: RawSocket[] = []
  const frames: Buffer[][] = []
  for (let client = 0; client < clients; client++) {
    const [room, user] = [`answers-${client}`, `user-${client}`]
    const writer = dialect.writer(room, user, ENTITIES)
    const socket = await joinRoom(dialect, port, room, user)
    await settle(dialect, socket, writer.base)
    sockets.push(socket)
    frames.push(
      Array.from({ length: warmUp + each }, (_, index) => framed(writer.next(markOf(index)))),
    )
  }

  const sent = new Array<number>(clients).fill(0)
  const answered = new Array<number>(clients).fill(0)

  async function run(until: number): Promise<void> {
    let left = clients
    await waitFor('answers', (done, fail) => {
      for (const [client, socket] of sockets.entries()) {
        const own = frames[client] ?? []
        const send = (): void => {
          const [from, to] = [sent[client] ?? 0, Math.min(until, (answered[client] ?? 0) + WINDOW)]
          if (to > from) socket.write(Buffer.concat(own.slice(from, to)))
          sent[client] = Math.max(from, to)
        }
        const note = (): void => {
          answered[client] = (answered[client] ?? 0) + 1
          if (answered[client] !== until) return
          left -= 1
          if (left === 0) done()
        }
        let isWaiting = false
        socket.onClose = fail
        socket.onMessage = (bytes, start, end) => {
          if (dialect.isAnswer === undefined) readMarks(bytes, start, end, note)
          else if (dialect.isAnswer(bytes, start, end)) note()
          else return
          if (isWaiting) return
          isWaiting = true
          setImmediate(() => {
            isWaiting = false
            send()
          })
        }
        send()
      }
    })
  }

  await run(warmUp)
  const [start, cpu] = [performance.now(), cpuSecondsOf(pid)]
  await run(warmUp + each)
  return {
    seconds: (performance.now() - start) / 1_000,
    cpuSeconds: cpuSecondsOf(pid) - cpu,
  }
}
