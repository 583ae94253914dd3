import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collection, defineSchema } from '@tidemark/core'
import { createStore } from '@tidemark/core/node'
import { createRelayServer } from '@tidemark/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { findFreePort } from '../support/free-port.js'
import { endProcess, spawnOwned } from '../support/owned-process.js'
import { codeBlocks, ROOT, read } from './documents.js'

const DOCUMENT = read('docs/operations.md')
const CLI = join(ROOT, 'packages/server/dist/cli.js')

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-operations-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }))
  return directory
}

/** Data with a space, some cards, and something that ada wrote. */
async function fill(data: string): Promise<void> {
  const relay = await createRelayServer({ data, port: 0 })
  const schema = defineSchema({
    version: 1,
    collections: { cards: collection({ title: z.string() }) },
  })
  for (const [user, id] of [
    ['bob', 'c1'],
    ['bob', 'c2'],
    ['ada', 'c3'],
  ] as const) {
    const url = `ws://127.0.0.1:${relay.port}`
    const store = createStore({ schema, user, space: 'team-42', url })
    await store.ready
    await store.cards.insert({ id, title: `of ${user}` }).when('synced')
    await store.close()
  }
  await relay.close()
}

/** The commands that stand behind `$`, in their order. */
function commands(): string[] {
  return codeBlocks(DOCUMENT, 'console')
    .flatMap((block) => block.split('\n'))
    .filter((line) => line.startsWith('$ '))
    .map((line) => line.slice(2))
}

describe('the operations document', () => {
  test('[BAK-1] [BAK-2] has commands that work, one after the other', async () => {
    const directory = temporary()
    await fill(join(directory, 'data'))
    const ports = { 8787: await findFreePort(), 8788: await findFreePort() }
    const program = join(directory, 'tidemark')
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`)
    chmodSync(program, 0o755)
    const lines = commands().map((command) =>
      command.replaceAll('8787', String(ports[8787])).replaceAll('8788', String(ports[8788])),
    )
    expect(lines.length).toBeGreaterThan(15)
    const script = [
      // What still runs at the end must not outlive the shell.
      'set -em',
      'trap "kill $(jobs -p) 2>/dev/null || true" EXIT',
      ...lines.flatMap((line) => [
        `echo ${JSON.stringify(`$ ${line.replaceAll('$', '\\$')}`)} >&2`,
        line,
      ]),
      'echo all of them',
    ]
    const { code, output, errors } = await shell(script.join('\n'), directory)
    expect([code, output.endsWith('all of them\n')], `${output}\n${errors}`).toEqual([0, true])
    expect(output).toContain('{"ready":true}')
    expect(output).toContain('erased team-42/cards/c3')
  })

  test('names every command, every code of an error, and what is logged', () => {
    const help = spawnSync(process.execPath, [CLI, '--help'], { encoding: 'utf8' }).stdout
    const names = [...help.matchAll(/^ {2}([a-z-]+) \[options\]/gm)].map(([, name]) => name)
    expect(names.length).toBeGreaterThan(8)
    for (const name of names) expect(DOCUMENT).toContain(`tidemark ${name}`)

    const sources = ['errors', 'maintenance/errors'].map((name) =>
      read(`packages/server/src/${name}.ts`),
    )
    const codes = [...sources.join('\n').matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, code]) => code)
    expect(codes.length).toBeGreaterThan(20)
    for (const code of codes) expect(DOCUMENT).toMatch(new RegExp(`^\\| \`${code}\` \\|`, 'm'))

    const server = spawnSync('grep', ['-rh', '', join(ROOT, 'packages/server/src')], {
      encoding: 'utf8',
      maxBuffer: 1e8,
    })
    const messages = [...DOCUMENT.matchAll(/^\| `([^`]+)` \| (?:warn|error) \|/gm)].map(
      ([, message]) => message,
    )
    expect(messages.length).toBeGreaterThan(4)
    for (const message of messages) expect(server.stdout).toContain(`'${message}'`)
  })
})

describe('what is deployed', () => {
  const dockerfile = read('Dockerfile')
  const entry = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? '[]') as string[]
  const command = JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[]
  const health = JSON.parse(/^ {2}CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[]

  test('the image is built from files that are there and that get into the context', () => {
    const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.*)$/gm)].map(
      ([, what]) => what?.split(' ') ?? [],
    )
    expect(copies.length).toBeGreaterThan(4)
    const let_in = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
    for (const source of copies.flatMap((paths) => paths.slice(0, -1))) {
      expect(existsSync(join(ROOT, source)), source).toBe(true)
      expect(
        let_in.some((path) => source === path || source.startsWith(`${path}/`)),
        source,
      ).toBe(true)
    }
    // What the build runs is the version that the repository asks for.
    const { packageManager } = JSON.parse(read('package.json')) as { packageManager: string }
    expect([...dockerfile.matchAll(/pnpm@[\d.]+/g)].map(([version]) => version)).toEqual([
      packageManager,
      packageManager,
    ])
    expect(dockerfile).toMatch(/^ARG NODE_IMAGE=node:20\.\d+\.\d+-/m)
    expect(dockerfile.lastIndexOf('\nUSER node')).toBeGreaterThan(dockerfile.lastIndexOf('\nFROM'))
  })

  test('the image starts the relay, knows whether it is well, and stops it', async () => {
    const port = await findFreePort()
    const inImage = [...entry, ...command].map((part) =>
      part
        .replace('/app/', join(ROOT, 'packages/server/'))
        .replace(/^\/data$/, join(temporary(), 'data')),
    )
    const [, ...parameters] = inImage.map((part) => (part === '8787' ? String(port) : part))
    // Nothing is configured here: it refuses to be open to everybody.
    const refused = spawnSync(process.execPath, parameters, { encoding: 'utf8' })
    expect([refused.status, refused.stderr]).toEqual([
      1,
      expect.stringContaining('[host-not-loopback]'),
    ])

    const child = spawnOwned(process.execPath, [...parameters, '--host', '127.0.0.1'])
    const isWell = (): number | null =>
      spawnSync(
        process.execPath,
        health.slice(1).map((part) => part.replace('8787', String(port))),
      ).status
    await new Promise((resolve) => child.stdout.once('data', resolve))
    expect(isWell()).toBe(0)
    await endProcess(child, 'SIGTERM')
    expect([child.exitCode, isWell()]).toEqual([0, 1])
  })

  test.for(['tidemark', 'tidemark-backup'])(
    'the unit %s runs a command that there is',
    async (name) => {
      const unit = read(`deploy/${name}.service`)
      const [program, script, ...parameters] = /^ExecStart=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? []
      expect([program, script]).toEqual([
        '/usr/bin/node',
        '/opt/tidemark/node_modules/@tidemark/server/dist/cli.js',
      ])
      const directory = temporary()
      const here = parameters.map((part) =>
        part.replace(/^\/var/, directory).replace(/^8787$/, '0'),
      )
      await fill(join(directory, 'lib/tidemark'))
      const child = spawnOwned(process.execPath, [CLI, ...here])
      await new Promise((resolve) => child.stdout.once('data', resolve))
      await endProcess(child, 'SIGTERM')
      expect(unit).toContain('StateDirectory=tidemark')
    },
  )

  test('systemd understands the units, where it is to be had', () => {
    const directory = temporary()
    const units = ['tidemark.service', 'tidemark-backup.service', 'tidemark-backup.timer']
    for (const unit of units) {
      // Only what is installed is looked for.
      writeFileSync(
        join(directory, unit),
        read(`deploy/${unit}`).replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true'),
      )
    }
    const { status, stderr, error } = spawnSync(
      'systemd-analyze',
      ['verify', ...units.map((unit) => join(directory, unit))],
      { encoding: 'utf8' },
    )
    if (error !== undefined) return
    expect([status, stderr]).toEqual([0, ''])
  })
})

function shell(
  script: string,
  cwd: string,
): Promise<{ code: number | null; output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', script], {
      cwd,
      env: { ...process.env, PATH: `${cwd}:${process.env['PATH'] ?? ''}` },
      timeout: 100_000,
    })
    let [output, errors] = ['', '']
    child.stdout.on('data', (data: Buffer) => {
      output += String(data)
    })
    child.stderr.on('data', (data: Buffer) => {
      errors += String(data)
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output, errors }))
  })
}
