import { basename, dirname } from 'node:path'

/** What a process did, as far as a disk or a peer can tell. Names are those of files in the data directory. */
export type DiskEvent =
  | {
      readonly kind: 'write'
      readonly name: string
      readonly offset: number
      readonly bytes: Uint8Array
    }
  | { readonly kind: 'truncate'; readonly name: string; readonly size: number }
  /** `works` is false when the call failed. */
  | { readonly kind: 'sync'; readonly name: string; readonly works: boolean }
  | { readonly kind: 'syncDirectory'; readonly works: boolean }
  | { readonly kind: 'create'; readonly name: string }
  | { readonly kind: 'unlink'; readonly name: string }
  | { readonly kind: 'rename'; readonly name: string; readonly to: string }
  /** To a peer; `stream` tells connections apart. */
  | { readonly kind: 'sent'; readonly stream: string; readonly bytes: Buffer }

const CALL = /^(\d+) +(\w+)\((.*)\) += (-?\d+)/
const UNFINISHED = /^(\d+) +(.*) <unfinished \.\.\.>$/
const RESUMED = /^(\d+) +<\.\.\. \w+ resumed>(.*)$/
const STRING = /"((?:\\x[0-9a-f]{2})*)"/g
const DESCRIPTOR = /^(\d+)<((?:\\x[0-9a-f]{2}|[^>])*)>/
const NUMBERS = /(\d+)(?:, (\d+))?$/

/**
 * Reads the log of a tracer that was started with `recorded`. Calls of one thread stand in their order, and the relay's
 * own are all made by its main thread; a call counts where it ended.
 */
export function eventsIn(trace: string, data: string): readonly DiskEvent[] {
  return wholeCalls(trace).flatMap((line) => eventIn(line, data) ?? [])
}

/** How often the calls were made on files of the data directory. */
export function countCalls(trace: string, data: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const line of wholeCalls(trace)) {
    const [, , call = '', parameters = ''] = CALL.exec(line) ?? []
    const concerned = [descriptorIn(parameters), ...stringsIn(parameters).map(text)]
    if (concerned.some((path) => path === data || dirname(path ?? '') === data))
      counts.set(call, (counts.get(call) ?? 0) + 1)
  }
  return counts
}

/** The tracer cuts a call in two when another thread's call comes between. */
function wholeCalls(trace: string): string[] {
  const begun = new Map<string, string>()
  return trace.split('\n').flatMap((line) => {
    const [, thread, start] = UNFINISHED.exec(line) ?? []
    if (thread !== undefined && start !== undefined) {
      begun.set(thread, start)
      return []
    }
    const [, same, end] = RESUMED.exec(line) ?? []
    return same === undefined || end === undefined ? [line] : [`${same} ${begun.get(same)}${end}`]
  })
}

function eventIn(line: string, data: string): DiskEvent | undefined {
  const [, , call, parameters, returned] = CALL.exec(line) ?? []
  if (call === undefined || parameters === undefined) return undefined
  const result = Number(returned)
  const path = descriptorIn(parameters)
  const strings = stringsIn(parameters)
  const works = result >= 0

  if (path?.startsWith('socket:') === true && (call === 'write' || call === 'writev'))
    return { kind: 'sent', stream: path, bytes: Buffer.concat(strings).subarray(0, result) }
  if (call === 'fsync' || call === 'fdatasync') {
    if (path === data) return { kind: 'syncDirectory', works }
    return inData(path, data, (name) => ({ kind: 'sync', name, works }))
  }
  if (!works) return undefined
  const [, first, second] = NUMBERS.exec(parameters) ?? []
  switch (call) {
    case 'pwrite64':
      return inData(path, data, (name) => {
        const bytes = (strings[0] ?? Buffer.alloc(0)).subarray(0, result)
        if (bytes.length !== result) throw new Error(`the bytes are cut: ${line.slice(0, 200)}`)
        return { kind: 'write', name, offset: Number(second), bytes }
      })
    case 'ftruncate':
      return inData(path, data, (name) => ({ kind: 'truncate', name, size: Number(first) }))
    case 'unlink':
      return inData(text(strings[0]), data, (name) => ({ kind: 'unlink', name }))
    case 'rename':
      return inData(text(strings[0]), data, (name) => {
        return { kind: 'rename', name, to: basename(text(strings[1])) }
      })
    case 'openat':
      if (!parameters.includes('O_CREAT')) return undefined
      return inData(text(strings[0]), data, (name) => ({ kind: 'create', name }))
    case 'write':
    case 'writev':
      // Where they would land isn't in the log; nothing of the relay's data is written like that.
      if (path !== undefined && dirname(path) === data) throw new Error(`not a pwrite64: ${line}`)
      return undefined
    default:
      return undefined
  }
}

function inData(
  path: string | undefined,
  data: string,
  make: (name: string) => DiskEvent,
): DiskEvent | undefined {
  if (path === undefined || dirname(path) !== data || path.endsWith('-shm')) return undefined
  return path.endsWith(' (deleted)') ? undefined : make(basename(path))
}

function descriptorIn(parameters: string): string | undefined {
  const [, , path] = DESCRIPTOR.exec(parameters) ?? []
  return path?.startsWith('\\x') === true ? text(unescaped(path)) : path
}

function stringsIn(parameters: string): Buffer[] {
  return [...parameters.matchAll(STRING)].map(([, escaped = '']) => unescaped(escaped))
}

function unescaped(hex: string): Buffer {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex')
}

function text(bytes: Buffer | undefined): string {
  return bytes?.toString() ?? ''
}
