import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

// A boundary rule that matches nothing looks exactly like one that is kept. So the rules of the repository run here on
// two small copies of it: one that keeps all of them, and one with a deliberate violation of each.

const root = fileURLToPath(new URL('../..', import.meta.url))
const linter = join(root, 'node_modules/@biomejs/biome/bin/biome')
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')

/** One small file for each part of the repository, with the imports that it is allowed to have. */
const allowed: Record<string, string> = {
  'packages/core/src/errors.ts': 'export const code = 1',
  'packages/core/src/platform/index.ts': `export { code } from '../errors.js'`,
  'packages/core/src/schema/index.ts': `import type { $ZodType } from 'zod/v4/core'\nexport type Field = $ZodType`,
  'packages/core/src/entity/index.ts': `import * as Y from 'yjs'\nimport { code } from '../errors.js'\nexport const doc = [Y, code]`,
  'packages/core/src/entity/index.test.ts': `import { readFileSync } from 'node:fs'\nimport { save } from '../storage/index.js'\nexport const test = [readFileSync, save]`,
  'packages/core/src/replica/index.ts': `export { doc } from '../entity/index.js'\nexport type { Field } from '../schema/index.js'`,
  'packages/core/src/protocol/index.ts': `export { doc } from '../entity/index.js'\nexport { createDecoder } from 'lib0/decoding'`,
  'packages/core/src/operations/index.ts': `export { doc } from '../replica/index.js'\nexport { createDecoder } from 'lib0/decoding'`,
  'packages/core/src/query/index.ts': `export { doc } from '../replica/index.js'`,
  'packages/core/src/storage/index.ts': `import { openDB } from 'idb'\nimport { doc } from '../operations/index.js'\nexport const save = [openDB, doc]`,
  'packages/core/src/sync/index.ts': `export { createDecoder } from '../protocol/index.js'`,
  'packages/core/src/store/index.ts': `export { save } from '../storage/index.js'\nexport { createDecoder } from '../sync/index.js'\nexport { doc } from '../query/index.js'`,
  'packages/core/src/index.ts': `export { save } from './store/index.js'`,
  'packages/core/src/node/index.ts': `import { readFileSync } from 'node:fs'\nimport { WebSocket } from 'ws'\nimport { save } from '../store/index.js'\nexport const file = [readFileSync, WebSocket, save]`,
  'packages/server/src/index.ts': `import { save } from '@tidemark/core'\nimport { doc } from '@tidemark/core/entity'\nimport { file } from '@tidemark/core/node'\nexport const relay = [save, doc, file]`,
  'packages/react/src/index.ts': `export { save } from '@tidemark/core'`,
  'examples/app/src/main.ts': `import { save } from '@tidemark/core'\nimport { save as hook } from '@tidemark/react'\nexport const app = [save, hook]`,
  'test/system/whole.test.ts': `import { relay } from '@tidemark/server'\nimport { save } from '@tidemark/core'\nexport const all = [relay, save]`,
}

/** The file of a deliberate violation, what it imports, and the rules that must say so. */
const violations: readonly (readonly [file: string, imports: string, rules: readonly string[]])[] =
  [
    ['packages/core/src/errors.ts', './platform/index.js', ['core-errors-layer', 'no-circular']],
    ['packages/core/src/platform/bad.ts', '../entity/index.js', ['core-platform-layer']],
    ['packages/core/src/schema/bad.ts', '../replica/index.js', ['core-schema-layer']],
    ['packages/core/src/schema/bad-zod.ts', 'zod', ['core-zod-types-only']],
    ['packages/core/src/entity/bad.ts', '../storage/index.js', ['core-entity-layer']],
    ['packages/core/src/entity/bad-schema.ts', '../schema/index.js', ['core-entity-layer']],
    ['packages/core/src/entity/bad-idb.ts', 'idb', ['core-entity-packages']],
    ['packages/core/src/replica/bad.ts', '../operations/index.js', ['core-replica-layer']],
    ['packages/core/src/replica/bad-idb.ts', 'idb', ['core-replica-packages']],
    ['packages/core/src/protocol/bad.ts', '../replica/index.js', ['core-protocol-layer']],
    ['packages/core/src/operations/bad.ts', '../sync/index.js', ['core-operations-layer']],
    ['packages/core/src/query/bad.ts', '../storage/index.js', ['core-query-layer']],
    ['packages/core/src/storage/bad.ts', '../sync/index.js', ['core-storage-layer']],
    ['packages/core/src/sync/bad.ts', '../store/index.js', ['core-sync-layer']],
    ['packages/core/src/store/bad.ts', '../node/index.js', ['core-store-layer']],
    ['packages/core/src/store/bad-ws.ts', 'ws', ['core-store-packages']],
    ['packages/core/src/index.ts', './node/index.js', ['core-index-layer']],
    ['packages/core/src/elsewhere/bad.ts', '../errors.js', ['core-unknown-folder']],
    ['packages/core/src/storage/bad-fs.ts', 'node:fs', ['core-no-node-builtins']],
    ['packages/core/src/entity/bad-test.ts', './index.test.js', ['not-to-tests']],
    ['packages/core/src/store/bad-react.ts', '@tidemark/react', ['core-knows-nobody']],
    ['packages/core/src/store/bad-typo.ts', './nowhere.js', ['not-unresolvable']],
    ['packages/react/src/bad.ts', '@tidemark/server', ['react-knows-core-only']],
    ['packages/react/src/bad-node.ts', '@tidemark/core/node', ['react-knows-core-only']],
    ['packages/server/src/bad.ts', '@tidemark/react', ['server-knows-core-only']],
    [
      'packages/server/src/bad-deep.ts',
      '../../core/src/storage/index.js',
      ['no-deep-imports', 'no-relative-imports-across-packages'],
    ],
    [
      'packages/server/src/bad-relative.ts',
      '../../core/src/index.js',
      ['no-relative-imports-across-packages'],
    ],
    [
      'examples/app/src/bad.ts',
      '../../../packages/core/src/query/index.js',
      ['no-deep-imports', 'no-relative-imports-across-packages'],
    ],
  ]

const folders: string[] = []

function createTree(files: Record<string, string>): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'tidemark-boundaries-'))
  folders.push(folder)
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.base.json', 'package.json']) {
    cpSync(join(root, name), join(folder, name))
  }
  for (const name of ['core', 'server', 'react']) {
    mkdirSync(join(folder, 'packages', name, 'node_modules'), { recursive: true })
    cpSync(
      join(root, 'packages', name, 'package.json'),
      join(folder, 'packages', name, 'package.json'),
    )
  }
  for (const name of ['idb', 'lib0', 'ws', 'yjs', 'zod']) {
    link(
      folder,
      join(root, 'packages/core/node_modules', name),
      `packages/core/node_modules/${name}`,
    )
  }
  for (const [workspace, names] of [
    ['packages/core', ['react']],
    ['packages/server', ['core', 'react']],
    ['packages/react', ['core', 'server']],
    ['examples/app', ['core', 'react']],
    ['test', ['core', 'server']],
  ] as const) {
    for (const name of names) {
      link(folder, join(folder, 'packages', name), `${workspace}/node_modules/@tidemark/${name}`)
    }
  }
  for (const [path, code] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), `${code}\n`)
  }
  return folder
}

function link(folder: string, target: string, path: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  symlinkSync(realpathSync(target), join(folder, path), 'junction')
}

interface Result {
  readonly summary: {
    readonly totalCruised: number
    readonly violations: readonly {
      readonly from: string
      readonly rule: { readonly name: string }
    }[]
  }
}

function cruise(folder: string): Result['summary'] {
  const args = [cruiser, '--output-type', 'json', 'packages', 'examples', 'test']
  const output = execFileSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  return (JSON.parse(output) as Result).summary
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

describe('the boundary rules', () => {
  it('accept a tree that keeps them', () => {
    const { totalCruised, violations } = cruise(createTree(allowed))
    expect(violations).toEqual([])
    expect(totalCruised).toBeGreaterThan(Object.keys(allowed).length)
  })
})

describe('a deliberate violation is found', () => {
  const found = new Map<string, Set<string>>()

  beforeAll(() => {
    const bad = violations.map(([file, imports]) => [file, `export * from '${imports}'`])
    for (const { from, rule } of cruise(createTree({ ...allowed, ...Object.fromEntries(bad) }))
      .violations) {
      found.set(from, (found.get(from) ?? new Set()).add(rule.name))
    }
  })

  it.each(violations)('%s imports %s', (file, _imports, rules) => {
    expect([...(found.get(file) ?? [])].sort()).toEqual([...rules].sort())
  })
})

describe('the pure folders of core', () => {
  const impure = [
    'Date.now()',
    'new Date()',
    'Math.random()',
    'crypto.randomUUID()',
    'fetch("x")',
    'setTimeout(f, 1)',
  ]

  function lint(path: string, code: string): string {
    const folder = mkdtempSync(join(realpathSync(tmpdir()), 'tidemark-pure-'))
    folders.push(folder)
    for (const name of ['biome.json', 'scripts/pure.grit']) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      cpSync(join(root, name), join(folder, name))
    }
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), `export const bad = (f: () => void) => [f, ${code}]\n`)
    const args = [linter, 'lint', '--vcs-enabled=false', '--colors=off', 'packages']
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
    return stdout + stderr
  }

  it.each(impure)('may not call %s', (code) => {
    expect(lint('packages/core/src/entity/bad.ts', code)).toContain('This folder is pure')
  })

  it.each(['new Date(3)', 'f()'])('may call %s', (code) => {
    expect(lint('packages/core/src/entity/good.ts', code)).not.toContain('error')
  })

  it('are the only ones that may not', () => {
    expect(lint('packages/core/src/store/good.ts', 'Date.now()')).not.toContain(
      'This folder is pure',
    )
  })
})
