import type { Schema } from '@tidemark/core'
import type { JwtOptions } from '../auth/index.js'
import type { Authenticate, Authorize, Limits } from '../relay/index.js'

/** What `tidemark serve` is told by a file. Options of the command line win. */
export interface RelayConfig {
  /** Default 8787; 0 takes a free one. */
  readonly port?: number
  /** Default 127.0.0.1. Without `auth` loopback only. */
  readonly host?: string
  /** Where the database is kept, seen from the file. Default `./data` where the command is run. */
  readonly data?: string
  /** An app to serve beside the relay, seen from the file. */
  readonly public?: string
  readonly logLevel?: string
  /** How users prove who they are: by tokens, or by a function of your own. */
  readonly auth?: AuthConfig
  /** Judges every change of an entity before it is stored. */
  readonly authorize?: Authorize
  /** What entities have to fit into. */
  readonly schema?: Schema
  /** Origins of pages that may connect, such as `https://app.example`, besides the relay's own. Default: pages on this machine. */
  readonly origins?: readonly string[]
  /** Addresses or networks of reverse proxies whose `X-Forwarded-For` is believed. Default: none. */
  readonly trustProxy?: readonly string[]
  readonly limits?: Partial<Limits>
}

export type AuthConfig = Authenticate | { readonly jwt: JwtOptions }

/** Gives an editor the types of a configuration: `export const config = defineConfig({ … })`. */
export function defineConfig(config: RelayConfig): RelayConfig {
  return config
}
