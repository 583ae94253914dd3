/** The configuration file of the command: its types, finding it, running it, checking it. */
export { type AuthConfig, defineConfig, type RelayConfig } from './define-config.js'
export { type LoadedConfig, loadConfig } from './load-config.js'
