import { COLLECTION_NAME, ENTITY_ID } from '@tidemark/core/entity'
import { CLOSE_CODES, type ClientMessage, PEER_NAME } from '@tidemark/core/protocol'
import type { Limits } from './limits.js'
import type { PresenceGuest, PresencePort, PresenceSeat } from './ports.js'
import { Refusal } from './refusal.js'

type AttendanceMessage = Extract<ClientMessage, { readonly type: 'join' | 'leave' | 'presence' }>

/** Where the tabs behind one connection are present. */
export interface Attendance {
  /** @throws Refusal for what no client says */
  handle(channel: AttendanceChannel, message: AttendanceMessage): void
  /** The connection is gone. */
  end(): void
}

interface AttendanceChannel {
  readonly channel: number
  readonly space: string
  send(frame: Uint8Array): void
}

export function createAttendance(
  presence: PresencePort,
  limits: Pick<Limits, 'presenceTopics'>,
  guest: PresenceGuest,
): Attendance {
  /** By channel and topic. */
  const seats = new Map<string, PresenceSeat>()

  function join(key: string, { channel, space, send }: AttendanceChannel, topic: string): void {
    const seat = seats.get(key)
    if (seat !== undefined) seat.ask()
    else if (seats.size < limits.presenceTopics) {
      seats.set(
        key,
        presence.join(space, topic, guest, (news) => send(news.frame(channel))),
      )
    }
  }

  return {
    handle(channel, message) {
      const { topic } = message
      assertTopic(topic)
      const key = `${channel.channel}/${topic}`
      switch (message.type) {
        case 'join':
          join(key, channel, topic)
          break
        case 'leave':
          seats.get(key)?.leave()
          seats.delete(key)
          break
        case 'presence':
          if (!PEER_NAME.test(message.peer)) {
            throw new Refusal(CLOSE_CODES.protocolViolation, 'The name of a peer is malformed.')
          }
          // One topic too many was not joined: then nobody is there, and the connection goes on with what matters more.
          seats.get(key)?.set(message.peer, message.state)
          break
        default:
          message satisfies never
      }
    },
    end() {
      for (const seat of seats.values()) seat.leave()
      seats.clear()
    },
  }
}

/** The space, or an entity of it; whether there is such an entity is not looked at. */
function assertTopic(topic: string): void {
  const slash = topic.indexOf('/')
  const isEntity =
    COLLECTION_NAME.test(topic.slice(0, slash)) && ENTITY_ID.test(topic.slice(slash + 1))
  if (topic === '' || (slash > 0 && isEntity)) return
  throw new Refusal(CLOSE_CODES.protocolViolation, 'The topic is malformed.')
}
