import { randomBytes } from 'node:crypto'
import { pause } from '../tasks.js'
import { dialects } from './dialects.js'
import type { Server } from './fan-out.js'
import { framed, type RawSocket } from './raw-socket.js'
import { joinRoom } from './room.js'

const CONNECTIONS = 4
const PER_SECOND = 1_000
const TICK_MS = 5
const ENTITIES = 1

/**
 * Sends garbage into a room of its own until the process is ended, and connects again whenever it is thrown out: chance, and
 * updates whose content is chance.
 */
export async function attack({ dialect: name, port }: Server): Promise<void> {
  const dialect = dialects[name]
  const sockets: (RawSocket | undefined)[] = new Array(CONNECTIONS).fill(undefined)
  const valid = dialect.writer('garbage', 'attacker', ENTITIES).next('mark')
  console.log('attacking')
  for (;;) {
    for (let index = 0; index < CONNECTIONS; index++) {
      const socket = sockets[index]
      if (socket === undefined || socket.isClosed) {
        // Whoever refuses is doing well.
        sockets[index] = await joinRoom(dialect, port, 'garbage', 'attacker').catch(() => undefined)
        continue
      }
      const garbage = (PER_SECOND * TICK_MS) / 1_000 / CONNECTIONS
      for (let sent = 0; sent < garbage; sent++)
        socket.write(framed(sent % 2 === 0 ? randomBytes(1_024) : corrupted(valid)))
    }
    await pause(TICK_MS)
  }
}

/** Begins like a message that is well-formed. */
function corrupted(message: Uint8Array): Uint8Array {
  const bytes = Buffer.from(message)
  randomBytes(Math.floor(bytes.length / 2)).copy(bytes, Math.ceil(bytes.length / 2))
  return bytes
}
