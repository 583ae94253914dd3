import type { Dialect, DialectName } from './dialect.js'
import { hocuspocus } from './hocuspocus.js'
import { tidemark } from './tidemark.js'
import { yWebsocket } from './y-websocket.js'

export const dialects: Readonly<Record<DialectName, Dialect>> = { tidemark, hocuspocus, yWebsocket }
