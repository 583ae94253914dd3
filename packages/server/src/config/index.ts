/** The configuration file of the command: its types, finding it, running it, checking it. */
export { type AuthConfig, defineConfig, type RelayConfig } from './define-config.js'
export { loadConfig } from './load-config.js'
export { serverOptions } from './server-options.js'
