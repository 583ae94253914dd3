import { join } from 'node:path'

/** Calls that change what is on the disk, or make sure that it is there. */
export const DISK_CALLS = ['pwrite64', 'fsync', 'ftruncate', 'unlink', 'openat', 'mkdir'] as const
export type DiskCall = (typeof DISK_CALLS)[number]

/** Which of the calls is meant, counted from 1 over the life of the process: `3`, `3+` (all from there on), `3..5`. */
export type When = number | `${number}+` | `${number}..${number}`

/** Files of a data directory, by their names. */
export type DataFile = (typeof DATA_FILES)[number]
export const DATA_FILES = [
  'tidemark.db',
  'tidemark.db-journal',
  'tidemark.db-wal',
  'tidemark.db-shm',
  'relay.state',
  'relay.lock',
] as const

const TRACER = ['strace', '-D', '-f', '-q', '-y']

/**
 * Kills the process as it enters the call, which then does not take place. Without `--seccomp-bpf`, under which signals
 * get lost.
 */
export function killedAt(data: string, call: DiskCall, when: number): string[] {
  return [
    ...TRACER,
    ...['-s', '0', '-o', '/dev/null', ...pathsIn(data)],
    ...['-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${when}`],
  ]
}

export interface Fault {
  readonly call: DiskCall
  readonly files: readonly DataFile[]
  readonly error: 'ENOSPC' | 'EIO' | 'EROFS'
  readonly when: When
}

/** Lets calls on some files fail, and writes them all down. */
export function failing(data: string, { call, files, error, when }: Fault, log: string): string[] {
  return [
    ...[...TRACER, '--seccomp-bpf'],
    ...['-s', '0', '-o', log, ...files.flatMap((file) => ['-P', join(data, file)])],
    ...['-e', `trace=${DISK_CALLS.join()}`, '-e', `inject=${call}:error=${error}:when=${when}`],
  ]
}

/** Writes down every call that changes the data, with the bytes, and everything that is sent. */
export function recorded(log: string, inject?: string): string[] {
  return [
    ...[...TRACER, '--seccomp-bpf', '-xx'],
    ...['-s', '4000000', '-o', log],
    ...['-e', `trace=${DISK_CALLS.join()},fdatasync,write,writev`],
    ...(inject === undefined ? [] : ['-e', `inject=${inject}`]),
  ]
}

function pathsIn(data: string): string[] {
  return [data, ...DATA_FILES.map((file) => join(data, file))].flatMap((path) => ['-P', path])
}
