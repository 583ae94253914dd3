// Builds everything and runs the relay with the example app. `PORT` and `DATA` change the defaults.
import { setTimeout as sleep } from 'node:timers/promises'
import { build, start } from './run.js'

const port = process.env['PORT'] ?? '8787'
const data = process.env['DATA'] ?? './data'
const url = `http://localhost:${port}`

build()

const relay = start(process.execPath, [
  'packages/server/dist/cli.js',
  'serve',
  ...['--port', port],
  ...['--data', data],
  ...['--public', 'examples/cards/dist'],
  ...process.argv.slice(2).filter((argument) => argument !== '--'),
])
relay.on('exit', (code) => process.exit(code ?? 0))
// The relay gets the signal too (Ctrl-C goes to the whole group) or from here, and closes its database itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => relay.kill(signal))

while (!(await answers(url))) await sleep(100)
console.log(`\n  Tidemark is running: ${url}\n`)

async function answers(address: string): Promise<boolean> {
  try {
    await fetch(address)
    return true
  } catch {
    return false
  }
}
