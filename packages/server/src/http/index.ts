/**
 * The relay on the network: an HTTP server with a health check, an app's files, and websockets.
 * The rim: may import everything of this package, Node, Hono and ws. Decides nothing about data.
 */
export { createRelayServer, type RelayServer, type RelayServerOptions } from './relay-server.js'
