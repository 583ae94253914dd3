// The relay of Yjs as its package ships it: `y-websocket-relay.ts <port>`. It keeps documents in memory.
const [port = ''] = process.argv.slice(2)
// It takes its address from nowhere else.
Object.assign(process.env, { HOST: '127.0.0.1', PORT: port })
const manifest = import.meta.resolve('@y/websocket-server/package.json')
await import(new URL('src/server.js', manifest).href)
