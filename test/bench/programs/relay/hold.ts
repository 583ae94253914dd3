import { dialects } from './dialects.js'
import type { Server } from './fan-out.js'
import type { RawSocket } from './raw-socket.js'
import { joinRoom, settle } from './room.js'

export interface Hold extends Server {
  readonly rooms: number
  readonly entities: number
}

/** Fills rooms and stays in all of them until the process is ended; prints a line once it is in. */
export async function hold({ dialect: name, port, rooms, entities }: Hold): Promise<void> {
  const dialect = dialects[name]
  const sockets: RawSocket[] = []
  for (let index = 0; index < rooms; index++) {
    const room = `held-${index}`
    const socket = await joinRoom(dialect, port, room, 'holder')
    await settle(dialect, socket, dialect.writer(room, 'holder', entities).base)
    sockets.push(socket)
  }
  console.log('holding')
  await new Promise((resolve) => setInterval(resolve, 2 ** 30))
}
