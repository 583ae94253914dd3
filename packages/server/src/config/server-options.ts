import { createJwtAuthenticator } from '../auth/index.js'
import type { RelayServerOptions } from '../http/index.js'
import type { Log } from '../log.js'
import type { Authenticate } from '../relay/index.js'
import type { AuthConfig, RelayConfig } from './define-config.js'

/** What a configuration means for the server. @throws RelayStartError `config-invalid` */
export function serverOptions(config: RelayConfig, log: Log): RelayServerOptions {
  const { auth, public: publicDirectory, logLevel: _, ...same } = config
  return {
    ...same,
    log,
    ...(publicDirectory === undefined ? {} : { publicDirectory }),
    ...(auth === undefined ? {} : { authenticate: authenticatorFor(auth, log) }),
  }
}

function authenticatorFor(auth: AuthConfig, log: Log): Authenticate {
  return typeof auth === 'function' ? auth : createJwtAuthenticator(auth.jwt, { log })
}
