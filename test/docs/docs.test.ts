import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, normalize } from 'node:path'
import { createRelayServer } from '@tidemark/server'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  citedTests,
  codeBlocks,
  DOCUMENTS,
  laws,
  localLinks,
  namedFiles,
  ROOT,
  read,
} from './documents.js'

describe('the documents', () => {
  test('the program of the README is the example, at most 25 lines long', () => {
    const [program] = codeBlocks(read('README.md'), 'js')
    expect(program).toBe(read('examples/hello/hello.mjs'))
    expect(program?.trimEnd().split('\n').length).toBeLessThanOrEqual(25)
  })

  test('the program of the README runs as written and prints what it says', async () => {
    const data = mkdtempSync(join(tmpdir(), 'tidemark-docs-'))
    const relay = await createRelayServer({ data, port: 0, host: '127.0.0.1' })
    // Beside the original, where its packages are found; only the relay's port is another.
    const copy = join(ROOT, 'examples/hello', `.hello-${process.pid}.mjs`)
    onTestFinished(async () => {
      rmSync(copy, { force: true })
      await relay.close()
      rmSync(data, { recursive: true, force: true })
    })
    writeFileSync(copy, read('examples/hello/hello.mjs').replace(':8787', `:${relay.port}`))
    expect(await outputOf(copy)).toBe('pending\nsynced\nbob sees "Hello"\n')
  })

  test.for([
    ['README.md', 1],
    ['docs/schema.md', 0],
    ['docs/presence.md', 0],
  ] as const)(
    'the program of %s at place %i runs as written and prints what it says',
    async ([document, place]) => {
      const program = codeBlocks(read(document), 'js')[place] ?? ''
      const copy = join(ROOT, 'examples/hello', `.${basename(document)}-${process.pid}.mjs`)
      const relay = await createRelayServer({ port: 0 })
      onTestFinished(async () => {
        rmSync(copy, { force: true })
        await relay.close()
      })
      writeFileSync(copy, program.replace(':8787', `:${relay.port}`))
      const printed = [...program.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(
        ([, line]) => line,
      )
      expect(printed.length).toBeGreaterThan(2)
      expect(await outputOf(copy)).toBe(`${printed.join('\n')}\n`)
    },
  )

  test.for(DOCUMENTS)('every link of %s leads somewhere', (document) => {
    for (const link of localLinks(read(document))) {
      const target = normalize(join(dirname(document), link.split('#')[0] ?? ''))
      expect(existsSync(join(ROOT, target)), `${document}: ${link}`).toBe(true)
    }
  })

  test.for(DOCUMENTS)('every file that %s names is there', (document) => {
    for (const path of namedFiles(read(document)))
      expect(existsSync(join(ROOT, path)), `${document}: ${path}`).toBe(true)
  })

  test.for(['docs/guarantees.md', 'docs/laws.md', 'docs/threat-model.md'])(
    'every test that %s cites exists',
    (document) => {
      const cited = citedTests(read(document))
      expect(cited.length).toBeGreaterThan(10)
      for (const { file, name } of cited) {
        expect(existsSync(join(ROOT, file)), file).toBe(true)
        const found = read(file).includes(`'${name}'`) || read(file).includes(`\`${name}\``)
        expect(found, `${file}: ${name}`).toBe(true)
      }
    },
  )

  test('every law is there once, and names a test or says that it is not kept', () => {
    const all = laws(read('docs/laws.md'))
    expect(all.map(({ id }) => id)).toEqual(Array.from({ length: 25 }, (_, at) => `L${at + 1}`))
    for (const { id, text } of all)
      expect(citedTests(text).length > 0 || /\*\*Not (built|fully kept)\.\*\*/.test(text), id).toBe(
        true,
      )
  })

  test('the protocol document names every message with its number', () => {
    const codecs = ['client-codec', 'relay-codec']
      .map((name) => read(`packages/core/src/protocol/${name}.ts`))
      .join('\n')
    const types = [...codecs.matchAll(/^\s+(\w+): (\d+),$/gm)]
    expect(types.length).toBeGreaterThan(20)
    const document = read('docs/protocol.md')
    for (const [, name, number] of types) {
      expect(document).toMatch(new RegExp(`^${name}\\s+= +${number} •`, 'm'))
    }
  })
})

/** What a program prints; rejects when it fails or does not end. */
function outputOf(program: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program], { timeout: 30_000 })
    let output = ''
    let errors = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString()
    })
    child.on('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`it ended with ${code}: ${output}${errors}`))
    })
  })
}
