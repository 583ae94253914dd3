import { spawnSync } from 'node:child_process'

/** Whether programs can be traced here: strace is there, and may attach. */
export function hasStrace(): boolean {
  const { status } = spawnSync('strace', ['-f', '--seccomp-bpf', '-o', '/dev/null', 'true'])
  return status === 0
}

/**
 * Runs a program so that each fsync of one file takes longer, and every write and sync of that file is logged. The
 * tracer is a child of the program (`-D`), so that signals and exit codes are the program's own.
 */
export function withSlowSync(file: string, log: string, delayMs: number): string[] {
  return [
    'strace',
    ...['-D', '-f', '--seccomp-bpf', '-qqq', '-y'],
    ...['-s', '0', '-P', file, '-o', log],
    ...['-e', 'trace=pwrite64,fsync,fdatasync,ftruncate'],
    ...['-e', `inject=fsync,fdatasync:delay_enter=${delayMs * 1000}`],
  ]
}
