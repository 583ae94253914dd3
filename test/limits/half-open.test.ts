import { connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startRelayCommand } from '../support/relay-command.js'
import { createWireWriter, joinWire } from '../support/wire-client.js'

const SOCKETS = 10_000
const MAX_HANDSHAKES = 256
/** Of headers, kernel and Node, for what is waiting and what is being cleared away. */
const MEMORY = 256 * 1024 * 1024

/** A socket that begins a handshake and never ends it. */
function halfOpen(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => resolve(socket))
    socket.on('connect', () => {
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nX-Slow: ')
      resolve(socket)
    })
  })
}

describe('a flood of half-open sockets', () => {
  test('[SEC-8] [S8] [S9] neither keeps an honest client out nor fills the memory', async () => {
    const relay = await startRelayCommand({ limits: { maxHandshakes: MAX_HANDSHAKES } })
    const sockets: Socket[] = []
    onTestFinished(async () => {
      for (const socket of sockets) socket.destroy()
      await relay.dispose()
    })
    const port = Number(new URL(relay.url).port)
    const identity = { user: 'ada', replica: 'replica-a' }
    const before = (await relay.metrics()).get('process_resident_memory_bytes') ?? 0

    let mostWaiting = 0
    let joined = 0
    const writer = createWireWriter(identity, 1, 'honest')
    for (let opened = 0; opened < SOCKETS; opened += 250) {
      sockets.push(...(await Promise.all(Array.from({ length: 250 }, () => halfOpen(port)))))
      // In the middle of it, over and over: from the same address, too.
      if (opened % 2_500 !== 0) continue
      const honest = await joinWire(relay.webSocketUrl, identity, 'team')
      const operation = writer.write(`card-${opened}`, 'Hello')
      honest.send({ type: 'push', channel: 1, operation })
      await honest.until('ack', ({ id }) => id === operation.id)
      joined += 1
      mostWaiting = Math.max(mostWaiting, (await relay.metrics()).get('tidemark_handshakes') ?? 0)
      honest.socket.close()
    }

    const metrics = await relay.metrics()
    expect(joined).toBe(4)
    expect(mostWaiting).toBeGreaterThan(0)
    expect(mostWaiting).toBeLessThanOrEqual(MAX_HANDSHAKES)
    expect(metrics.get('tidemark_limits_hit_total{limit="maxHandshakes"}')).toBeGreaterThan(
      SOCKETS - 2 * MAX_HANDSHAKES,
    )
    expect((metrics.get('process_resident_memory_bytes') ?? 0) - before).toBeLessThan(MEMORY)
    expect(relay.isRunning).toBe(true)
    // The flood is in the log, and the log is not flooded.
    const lines = relay.logged().filter(({ limit }) => limit === 'maxHandshakes')
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.length).toBeLessThan(1_000)
  })
})
