import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type {
  EntityName,
  EntityState,
  Fate,
  OperationPart,
  Peer,
  WireOperation,
} from './messages.js'
import { readBytes, readFlag, readList, readUint, writeList } from './wire-primitives.js'

export function writeOperation(encoder: encoding.Encoder, operation: WireOperation): void {
  encoding.writeVarString(encoder, operation.id)
  writeList(encoder, operation.parts, writePart)
}

export function readOperation(decoder: decoding.Decoder): WireOperation {
  return { id: decoding.readVarString(decoder), parts: readList(decoder, readPart) }
}

function writePart(encoder: encoding.Encoder, part: OperationPart): void {
  encoding.writeVarString(encoder, part.collection)
  encoding.writeVarString(encoder, part.id)
  encoding.writeUint8(encoder, part.kind === 'create' ? 1 : 0)
  encoding.writeVarString(encoder, part.generation)
  encoding.writeVarUint(encoder, part.sequence)
  encoding.writeVarUint(encoder, part.lastModified)
  encoding.writeVarUint8Array(encoder, part.update)
}

function readPart(decoder: decoding.Decoder): OperationPart {
  return {
    collection: decoding.readVarString(decoder),
    id: decoding.readVarString(decoder),
    kind: readFlag(decoder) ? 'create' : 'update',
    generation: decoding.readVarString(decoder),
    sequence: readUint(decoder),
    lastModified: readUint(decoder),
    update: readBytes(decoder),
  }
}

export function writeEntity(encoder: encoding.Encoder, entity: EntityState): void {
  encoding.writeVarString(encoder, entity.collection)
  encoding.writeVarString(encoder, entity.id)
  encoding.writeVarString(encoder, entity.generation)
  encoding.writeVarUint(encoder, entity.confirmedSequence)
  encoding.writeVarUint(encoder, entity.sequence)
  encoding.writeVarUint(encoder, entity.lastModified)
  encoding.writeVarUint8Array(encoder, entity.bytes)
}

export function readEntity(decoder: decoding.Decoder): EntityState {
  return {
    collection: decoding.readVarString(decoder),
    id: decoding.readVarString(decoder),
    generation: decoding.readVarString(decoder),
    confirmedSequence: readUint(decoder),
    sequence: readUint(decoder),
    lastModified: readUint(decoder),
    bytes: readBytes(decoder),
  }
}

export function writeFate(encoder: encoding.Encoder, fate: Fate): void {
  encoding.writeVarString(encoder, fate.id)
  encoding.writeVarUint(encoder, fate.sequence)
  encoding.writeVarUint8Array(encoder, fate.digest)
}

export function readFate(decoder: decoding.Decoder): Fate {
  return {
    id: decoding.readVarString(decoder),
    sequence: readUint(decoder),
    digest: readBytes(decoder),
  }
}

export function writePeer(encoder: encoding.Encoder, peer: Peer): void {
  encoding.writeVarString(encoder, peer.id)
  encoding.writeVarString(encoder, peer.user)
  encoding.writeVarUint8Array(encoder, peer.state)
}

export function readPeer(decoder: decoding.Decoder): Peer {
  return {
    id: decoding.readVarString(decoder),
    user: decoding.readVarString(decoder),
    state: readBytes(decoder),
  }
}

export function writeRef(encoder: encoding.Encoder, ref: EntityName): void {
  encoding.writeVarString(encoder, ref.collection)
  encoding.writeVarString(encoder, ref.id)
}

export function readRef(decoder: decoding.Decoder): EntityName {
  return { collection: decoding.readVarString(decoder), id: decoding.readVarString(decoder) }
}
