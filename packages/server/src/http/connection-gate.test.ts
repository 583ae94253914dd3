import { describe, expect, it } from 'vitest'
import { createConnectionGate, type GateLimits, type GateSocket } from './connection-gate.js'

interface TestSocket extends GateSocket {
  isDestroyed: boolean
}

function createSocket(): TestSocket {
  const listeners: (() => void)[] = []
  return {
    isDestroyed: false,
    destroy() {
      this.isDestroyed = true
      for (const listener of listeners) listener()
    },
    once: (_event, listener) => listeners.push(listener),
  }
}

function create(limits: Partial<GateLimits>) {
  const hit: string[] = []
  const gate = createConnectionGate(
    { maxConnections: 100, maxConnectionsPerAddress: 100, maxHandshakes: 100, ...limits },
    (limit) => void hit.push(limit),
  )
  const arrive = (address: string): TestSocket => {
    const socket = createSocket()
    gate.accept(socket, address)
    return socket
  }
  return { gate, hit, arrive }
}

describe('the gate', () => {
  it('[SEC-8] [S8] drops the oldest of the address with the most when too many wait, never who has just come', () => {
    const { gate, hit, arrive } = create({ maxHandshakes: 10 })
    const honest = arrive('1.1.1.1')
    const flood = Array.from({ length: 10_000 }, () => arrive('6.6.6.6'))
    expect(gate.waiting).toBe(10)
    expect(honest.isDestroyed).toBe(false)
    expect(flood.findIndex(({ isDestroyed }) => !isDestroyed)).toBe(9_991)
    expect(hit).toHaveLength(9_991)
    expect(gate.enter(honest, '1.1.1.1')).toBeUndefined()
    gate.welcomed(honest)
    expect([gate.waiting, gate.connections]).toEqual([9, 1])
    arrive('6.6.6.6')
    arrive('6.6.6.6')
    expect(honest.isDestroyed).toBe(false)
  })

  it('[S9] counts a websocket that has not been welcomed among those who wait', () => {
    const { gate, arrive } = create({ maxHandshakes: 2 })
    const silent = arrive('6.6.6.6')
    gate.enter(silent, '6.6.6.6')
    arrive('6.6.6.6')
    expect(silent.isDestroyed).toBe(false)
    arrive('6.6.6.6')
    expect(silent.isDestroyed).toBe(true)
    expect(gate.connections).toBe(0)
  })

  it('[SEC-8] takes so many of an address and so many in all, and others again when some have gone', () => {
    const { gate, hit, arrive } = create({ maxConnections: 3, maxConnectionsPerAddress: 2 })
    const enter = (address: string): [TestSocket, string | undefined] => {
      const socket = arrive(address)
      return [socket, gate.enter(socket, address)]
    }
    const [first, outcome] = enter('1.1.1.1')
    expect(outcome).toBeUndefined()
    expect(enter('1.1.1.1')[1]).toBeUndefined()
    expect(enter('1.1.1.1')[1]).toBe('maxConnectionsPerAddress')
    expect(enter('2.2.2.2')[1]).toBeUndefined()
    expect(enter('3.3.3.3')[1]).toBe('maxConnections')
    expect(hit).toEqual(['maxConnectionsPerAddress', 'maxConnections'])
    first.destroy()
    expect(enter('1.1.1.1')[1]).toBeUndefined()
  })

  it('counts by the address that a proxy tells', () => {
    const { gate, arrive } = create({ maxConnectionsPerAddress: 1 })
    expect(gate.enter(arrive('10.0.0.1'), '1.1.1.1')).toBeUndefined()
    expect(gate.enter(arrive('10.0.0.1'), '2.2.2.2')).toBeUndefined()
    expect(gate.enter(arrive('10.0.0.1'), '1.1.1.1')).toBe('maxConnectionsPerAddress')
  })

  it('keeps nothing of sockets that are gone', () => {
    const { gate, arrive } = create({})
    const sockets = Array.from({ length: 50 }, (_, index) => arrive(`1.1.1.${index}`))
    for (const socket of sockets.slice(10)) gate.enter(socket, '1.1.1.1')
    for (const socket of sockets.slice(20)) gate.welcomed(socket)
    for (const socket of sockets) socket.destroy()
    expect([gate.waiting, gate.connections]).toEqual([0, 0])
  })
})
