import type { DialectName } from './dialect.js'
import { dialects } from './dialects.js'
import type { Server } from './fan-out.js'
import { markOf, readMarks } from './marks.js'
import { framed, type RawSocket } from './raw-socket.js'
import { cpuSecondsOf, joinRoom, settle, waitFor } from './room.js'

const TICK_MS = 1
const LATE_MS = 5
/** Fewer than any server here takes. */
const MAX_UNANSWERED = 200
const ENTITIES = 100
const WARM_UP_SECONDS = 1

export interface Steady extends Server {
  /** Default: one of its own. */
  readonly room?: string
  readonly readers: number
  readonly perSecond: number
  readonly seconds: number
}

export interface SteadyResult {
  /** Milliseconds from an edit until a reader had it: one figure for each edit and reader. */
  readonly seen: readonly number[]
  /** Milliseconds until the edit was answered; empty where nothing is answered. */
  readonly answered: readonly number[]
  readonly cpuSeconds: number
}

/** One writes at a steady rate, others read. */
export async function steady(options: Steady): Promise<SteadyResult> {
  const { dialect: name, port, pid, room = 'steady', readers, perSecond } = options
  const dialect = dialects[name]
  const writer = dialect.writer(room, 'writer', ENTITIES)
  const author = await joinRoom(dialect, port, room, 'writer')
  await settle(dialect, author, writer.base)
  const sockets: RawSocket[] = []
  for (let reader = 0; reader < readers; reader++)
    sockets.push(await joinRoom(dialect, port, room, `reader-${reader}`))
  const warmUp = WARM_UP_SECONDS * perSecond
  const count = warmUp + options.seconds * perSecond
  const frames = Array.from({ length: count }, (_, index) => framed(writer.next(markOf(index))))

  const sentAt: number[] = []
  const seen: number[] = []
  const answered: number[] = []
  let answers = 0
  let left = count * readers
  let cpu = 0
  await waitFor('readers', (done, fail) => {
    author.onClose = fail
    author.onMessage = (bytes, start, end) => {
      if (dialect.isAnswer?.(bytes, start, end) !== true) return
      if (answers >= warmUp) answered.push(performance.now() - (sentAt[answers] ?? 0))
      answers += 1
    }
    for (const socket of sockets) {
      socket.onMessage = (bytes, start, end) => {
        const now = performance.now()
        readMarks(bytes, start, end, (index) => {
          if (index >= warmUp) seen.push(now - (sentAt[index] ?? 0))
          left -= 1
        })
        if (left === 0) done()
      }
    }
    const send = (index: number, at: number): void => {
      if (index === warmUp) cpu = cpuSecondsOf(pid)
      sentAt[index] = at
      author.write(frames[index] ?? new Uint8Array())
    }
    // A client that is not answered waits, like a real one; the wait counts.
    const isAllowed = (index: number): boolean =>
      dialect.isAnswer === undefined || index - answers < MAX_UNANSWERED
    atRate(perSecond, count, send, isAllowed)
  })
  return { seen, answered, cpuSeconds: cpuSecondsOf(pid) - cpu }
}

export interface Rooms extends Server {
  readonly rooms: number
  readonly perSecond: number
  readonly seconds: number
}

export interface RoomsResult {
  /** Until everybody had joined. */
  readonly joinSeconds: number
  /** Milliseconds from an edit until the other one in the room had it. */
  readonly seen: readonly number[]
  /** From the first edit until the last one was seen. */
  readonly cpuSeconds: number
}

const ROOM_ENTITIES = 10
/** Connections that are made at a time. */
const JOINING = 100

/** Many rooms with two clients each, who write in turns, at a steady rate over all of them. */
export async function rooms(options: Rooms): Promise<RoomsResult> {
  const { dialect: name, port, pid, perSecond } = options
  const members = Array.from({ length: options.rooms * 2 }, (_, index) => ({
    room: `room-${index % options.rooms}`,
    user: `user-${index}`,
  }))
  const joinStart = performance.now()
  const sockets = await joinAll(name, port, members)
  const joinSeconds = (performance.now() - joinStart) / 1_000
  const count = options.seconds * perSecond
  const frames = await framesOf(name, members, sockets, count)

  const sentAt: number[] = []
  const seen: number[] = []
  const cpu = cpuSecondsOf(pid)
  await waitFor('the other ones', (done, fail) => {
    for (const [member, socket] of sockets.entries()) {
      socket.onClose = fail
      socket.onMessage = (bytes, start, end) => {
        readMarks(bytes, start, end, (index) => {
          // Some servers send back to the writer, too.
          if (index % members.length === member) return
          seen.push(performance.now() - (sentAt[index] ?? 0))
          if (seen.length === count) done()
        })
      }
    }
    atRate(perSecond, count, (index, at) => {
      sentAt[index] = at
      sockets[index % members.length]?.write(frames[index] ?? new Uint8Array())
    })
  })
  return { joinSeconds, seen, cpuSeconds: cpuSecondsOf(pid) - cpu }
}

interface Member {
  readonly room: string
  readonly user: string
}

async function joinAll(
  name: DialectName,
  port: number,
  members: readonly Member[],
): Promise<readonly RawSocket[]> {
  const sockets: RawSocket[] = []
  for (let from = 0; from < members.length; from += JOINING) {
    const some = members.slice(from, from + JOINING)
    const joined = some.map(({ room, user }) => joinRoom(dialects[name], port, room, user))
    sockets.push(...(await Promise.all(joined)))
  }
  return sockets
}

/** Brings everybody's entities to their rooms; update number `index` is written by member `index % members`. */
async function framesOf(
  name: DialectName,
  members: readonly Member[],
  sockets: readonly RawSocket[],
  count: number,
): Promise<readonly Buffer[]> {
  const dialect = dialects[name]
  const frames: Buffer[] = []
  for (const [member, { room, user }] of members.entries()) {
    const writer = dialect.writer(room, user, ROOM_ENTITIES)
    const socket = sockets[member]
    if (socket !== undefined) await settle(dialect, socket, writer.base)
    for (let index = member; index < count; index += members.length)
      frames[index] = framed(writer.next(markOf(index)))
  }
  return frames
}

/**
 * Calls `send` with 0, 1, 2 …, so many a second, and when that was: now, or when it should have been if that is longer ago
 * than timers are late.
 */
export function atRate(
  perSecond: number,
  count: number,
  send: (index: number, at: number) => void,
  isAllowed: (index: number) => boolean = () => true,
): void {
  const start = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    const now = performance.now()
    for (; sent < count && isAllowed(sent); sent++) {
      const due = start + (sent / perSecond) * 1_000
      if (due > now) break
      send(sent, now - due > LATE_MS ? due : now)
    }
    if (sent === count) clearInterval(timer)
  }, TICK_MS)
}
