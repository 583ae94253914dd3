import type { Role } from '@tidemark/core/protocol'

/** A connection of a stock client, as its room sees it. None of the methods throws. */
export interface RoomMember {
  readonly user: string
  /** What it may do in the space; undefined: nothing any more. */
  role(): Role | undefined
  /** Whether it was given the document: from then on it is told of changes. */
  readonly isSynced: boolean
  /** Bytes that were sent to it and have not left. */
  readonly bufferedBytes: number
  send(frame: Uint8Array): void
  close(code: number, reason: string): void
  /** Says something if nothing was said for a while. */
  keepAlive(): void
}
