import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { ClientBinding } from './port.js'

/**
 * The client ids of an entity as bytes: `owners: [user, replica]*`, then `[client, index of its owner, clock,
 * tail + 1 or 0]*`.
 * An entity has few owners and some client ids each, so an owner is written once.
 */
export function encodeClientBindings(clients: ReadonlyMap<number, ClientBinding>): Uint8Array {
  const owners = new Map<string, { readonly index: number; readonly binding: ClientBinding }>()
  for (const binding of clients.values()) {
    const key = ownerKey(binding)
    if (!owners.has(key)) owners.set(key, { index: owners.size, binding })
  }
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, owners.size)
  for (const { binding } of owners.values()) {
    encoding.writeVarString(encoder, binding.user)
    encoding.writeVarString(encoder, binding.replica)
  }
  encoding.writeVarUint(encoder, clients.size)
  for (const [client, binding] of clients) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, owners.get(ownerKey(binding))?.index ?? 0)
    encoding.writeVarUint(encoder, binding.clock)
    encoding.writeVarUint(encoder, binding.tail === null ? 0 : binding.tail + 1)
  }
  return encoding.toUint8Array(encoder)
}

export function decodeClientBindings(bytes: Uint8Array): Map<number, ClientBinding> {
  const decoder = decoding.createDecoder(bytes)
  const owners: { readonly user: string; readonly replica: string }[] = []
  for (let left = decoding.readVarUint(decoder); left > 0; left--) {
    owners.push({
      user: decoding.readVarString(decoder),
      replica: decoding.readVarString(decoder),
    })
  }
  const clients = new Map<number, ClientBinding>()
  for (let left = decoding.readVarUint(decoder); left > 0; left--) {
    const client = decoding.readVarUint(decoder)
    const owner = owners[decoding.readVarUint(decoder)]
    const clock = decoding.readVarUint(decoder)
    const tail = decoding.readVarUint(decoder)
    if (owner === undefined) throw new Error('A client id without an owner.')
    clients.set(client, {
      user: owner.user,
      replica: owner.replica,
      clock,
      tail: tail === 0 ? null : tail - 1,
    })
  }
  return clients
}

/** Neither users nor replicas hold a slash. */
function ownerKey({ user, replica }: ClientBinding): string {
  return `${user}/${replica}`
}
