// Packs every public package as it would be published, and looks at the tarballs with publint and attw.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pnpm, run, runOrExit } from './run.js'

const folder = mkdtempSync(join(tmpdir(), 'tidemark-pack-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

runOrExit('tsc', ['-b'])
pnpm(['--filter', './packages/*', '-r', 'exec', 'pnpm', 'pack', '--pack-destination', folder])

const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
if (tarballs.length === 0) throw new Error('pnpm packed no package.')

let failures = 0
for (const name of tarballs) {
  const tarball = join(folder, name)
  failures += run('publint', ['run', tarball, '--strict']) === 0 ? 0 : 1
  const attw = [tarball, '--profile', 'esm-only', '--exclude-entrypoints', 'styles.css']
  if (run('attw', [...attw, '--quiet']) !== 0) {
    run('attw', attw) // once more, to show why
    failures += 1
  }
}
console.log(`${tarballs.length} packages packed and checked, ${failures} problems`)
process.exitCode = failures > 0 ? 1 : 0
