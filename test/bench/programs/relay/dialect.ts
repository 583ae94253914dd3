/** How load speaks to one of the contenders: frames are made before anything is measured, and looked at as little as possible. */
export interface Dialect {
  readonly subprotocol: string | undefined
  path(room: string): string
  /** What a connection sends first, to have `room` and everything that happens in it. */
  join(room: string, user: string): readonly Uint8Array[]
  /** Whether the message is the last one of what a join brings. */
  isJoined(bytes: Buffer, start: number, end: number): boolean
  /** Whether the message answers one update of this connection; undefined where nothing is answered. */
  readonly isAnswer: ((bytes: Buffer, start: number, end: number) => boolean) | undefined
  /** Somebody who writes to one room, and has `entities` of its own there. */
  writer(room: string, user: string, entities: number): Writer
  /** By the names of entities, the last mark that is in what a join has brought. */
  marksIn(messages: readonly Uint8Array[]): ReadonlyMap<string, string>
}

export interface Writer {
  /** What brings the writer's entities there, each with eight fields; how many answers that makes. */
  readonly base: readonly Uint8Array[]
  /** The next update of one field of one entity, in turns; `mark` can be found in its bytes. */
  next(mark: string): Uint8Array
}

export type DialectName = 'tidemark' | 'hocuspocus' | 'yWebsocket'
