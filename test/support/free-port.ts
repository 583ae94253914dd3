import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * A port that is free now and that nobody is likely to take: below the ones that the system hands out by itself (from
 * 32768 on in Linux), so that it is still free after the relay on it was killed.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
