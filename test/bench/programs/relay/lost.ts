import type { Dialect } from './dialect.js'
import { dialects } from './dialects.js'
import type { Server } from './fan-out.js'
import { markOf, readMarks } from './marks.js'
import { framed } from './raw-socket.js'
import { joinRoom, settle } from './room.js'
import { atRate } from './steady.js'

export interface UntilKilled extends Server {
  readonly room: string
  readonly perSecond: number
  /** When the server is killed, after the first edit. */
  readonly milliseconds: number
}

/** What a client took for safe: the title that each of the entities must still have. */
export type Believed = Readonly<Record<string, string>>

/**
 * Edits one entity after the other until the server is killed with SIGKILL, and says which edits were answered before. Where
 * nothing is answered, it is those that another client had been shown.
 */
export async function writeUntilKilled(options: UntilKilled): Promise<Believed> {
  const { dialect: name, port, pid, room, perSecond, milliseconds } = options
  const dialect: Dialect = dialects[name]
  const count = Math.ceil((perSecond * milliseconds) / 1_000) + perSecond
  const writer = dialect.writer(room, 'writer', count)
  const author = await joinRoom(dialect, port, room, 'writer')
  await settle(dialect, author, writer.base)
  const reader = await joinRoom(dialect, port, room, 'reader')
  const frames = Array.from({ length: count }, (_, index) => framed(writer.next(markOf(index))))
  const believed: Record<string, string> = {}
  let answers = 0
  const believe = (index: number): void => {
    believed[`writer-e${index}`] = markOf(index)
  }
  const lost = new Promise<void>((resolve) => {
    author.onClose = resolve
  })
  if (dialect.isAnswer === undefined)
    reader.onMessage = (bytes, start, end) => readMarks(bytes, start, end, believe)
  author.onMessage = (bytes, start, end) => {
    if (dialect.isAnswer?.(bytes, start, end) === true) believe(answers++)
  }
  atRate(perSecond, count, (index) => {
    if (!author.isClosed) author.write(frames[index] ?? new Uint8Array())
  })
  setTimeout(() => process.kill(pid, 'SIGKILL'), milliseconds)
  await lost
  return believed
}
