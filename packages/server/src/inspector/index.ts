/**
 * A page for administrators to look at a running relay: its spaces, entities, last operations, connections and limits. Plain
 * HTML, made here for each request; changes nothing.
 * May import `relay/` for its ports, `storage/` and `maintenance/` for reading beside the relay, core's entity code, and Hono.
 */
export { createInspector } from './routes.js'
