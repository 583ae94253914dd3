import { SPACE_NAME, USER_ID } from '../entity/index.js'
import { TidemarkError } from '../errors.js'
import type { Schema } from '../schema/index.js'

export interface AuthRequest {
  /** The last token was refused, or is about to expire: another one is asked for. */
  readonly renew: boolean
}

/** Gives the token that the relay asks for; an empty one where there is none. Throwing means that it can't be told now. */
export type Auth = (request: AuthRequest) => string | Promise<string>

export interface EngineOptions {
  readonly schema: Schema
  readonly user: string
  readonly space: string
  /** No url: local only. */
  readonly url: string | undefined
  readonly auth: Auth | undefined
  /** Milliseconds after which what hasn't been compared with the relay counts as stale. */
  readonly staleAfter: number
  /** Names the database, the locks and the channel. */
  readonly name: string
}

/** @throws TidemarkError `value-invalid` */
export function assertOptions({ user, space, url }: EngineOptions): void {
  assertName('user', user, USER_ID)
  assertName('space', space, SPACE_NAME)
  if (url !== undefined) assertUrl(url)
}

function assertName(what: string, value: string, pattern: RegExp): void {
  if (pattern.test(value)) return
  throw new TidemarkError(
    'value-invalid',
    `The ${what} is ${JSON.stringify(value)}. It has 1 to 128 ASCII letters, digits or ". _ : - @ +" (a space's name none of the last two) and starts with a letter or digit.`,
    { path: [what] },
  )
}

function assertUrl(url: string): void {
  if (/^wss?:\/\/[^\s"<>]+$/.test(url) && URL.canParse(url)) return
  throw new TidemarkError(
    'value-invalid',
    `The url is ${JSON.stringify(url)}. It is the relay's websocket address, such as wss://relay.example.com; leave it out for a store without a relay.`,
    { path: ['url'] },
  )
}
