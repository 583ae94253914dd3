import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { decodeContent, viewOf } from '@tidemark/core/entity'
import { CLOSE_CODES } from '@tidemark/core/protocol'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { connectWebSocket, joinOver } from './http/websocket-client.test-support.js'
import { createWriter } from './relay/writer.test-support.js'

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url))

beforeAll(() => {
  if (!existsSync(CLI)) throw new Error('The command is not built yet: run `pnpm build` first.')
})

interface Process {
  readonly child: ChildProcess
  /** The first line that it prints; undefined when it ends without one. */
  readonly firstLine: Promise<string | undefined>
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>
}

function run(...parameters: readonly string[]): Process {
  const child = spawn(process.execPath, [CLI, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let errors = ''
  child.stderr.on('data', (data: Buffer) => {
    errors += String(data)
  })
  const lines = createInterface({ input: child.stdout })
  const firstLine = Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    once(lines, 'close').then(() => undefined),
  ])
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, errors }))
  return { child, firstLine, ended }
}

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tidemark-cli-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function serve(data: string): Promise<Process & { readonly url: string }> {
  const running = run('serve', '--port', '0', '--data', data)
  const line = await running.firstLine
  const url = /^Tidemark relay on (http:\/\/127\.0\.0\.1:\d+)$/.exec(line ?? '')?.[1]
  if (url === undefined) throw new Error(`not a start: ${line} ${(await running.ended).errors}`)
  return { ...running, url }
}

describe('tidemark serve', () => {
  it('prints its address, answers, logs in JSON, and stops on SIGTERM', async () => {
    const { child, url, ended } = await serve(makeDirectory())
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'ok' })
    const client = await connectWebSocket(url)
    await joinOver(client)
    child.kill('SIGTERM')
    expect((await client.closed).code).toBe(CLOSE_CODES.restarting)
    const { code, errors } = await ended
    expect(code).toBe(0)
    const messages = errors
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly msg: string }).msg)
    expect(messages).toEqual(['listening', 'stopping', 'connection closed by the relay', 'stopped'])
  })

  it('[DUR-3] keeps everything that it acknowledged when it is killed, over and over', async () => {
    const data = makeDirectory()
    const writer = createWriter()
    const acknowledged = new Map<string, number>()
    const expected = new Map<string, number>()
    let value = 0
    for (const target of [1, 40, 200, 500]) {
      const { child, url, ended } = await serve(data)
      const client = await connectWebSocket(url)
      await joinOver(client)
      const inFlight = new Map<string, { readonly id: string; readonly value: number }>()
      const push = (): void => {
        value += 1
        const id = `card-${value}`
        const operation = writer.write(id, { value })
        inFlight.set(operation.id, { id, value })
        client.send({ type: 'push', channel: 1, operation })
      }
      for (let index = 0; index < 64; index++) push()
      for (let count = 0; count < target; count++) {
        const ack = await client.next('ack')
        const sent = inFlight.get(ack.id)
        if (sent === undefined) throw new Error('an acknowledgement for nothing')
        acknowledged.set(ack.id, ack.sequence)
        expected.set(sent.id, sent.value)
        push()
      }
      child.kill('SIGKILL')
      await ended
      // What arrived after the last one that was waited for counts as well.
      for (const message of client.received) {
        if (message.type !== 'ack') continue
        const sent = inFlight.get(message.id)
        if (sent !== undefined) expected.set(sent.id, sent.value)
        acknowledged.set(message.id, message.sequence)
      }
    }

    const { url } = await serve(data)
    const client = await connectWebSocket(url)
    await joinOver(client)
    const values = new Map<string, unknown>()
    for (const message of client.received) {
      if (message.type !== 'page') continue
      for (const { id, bytes } of message.entities) {
        values.set(id, viewOf(decodeContent(bytes)).values['value'])
      }
    }
    for (const [id, wanted] of expected) expect([id, values.get(id)]).toEqual([id, wanted])
    client.send({ type: 'fates', channel: 1, ids: [...acknowledged.keys()] })
    const { fates } = await client.next('fates')
    expect(new Map(fates.map(({ id, sequence }) => [id, sequence]))).toEqual(acknowledged)
    expect(acknowledged.size).toBeGreaterThan(700)
  })

  it('gives its data free when it is killed', async () => {
    const data = makeDirectory()
    const first = await serve(data)
    const second = run('serve', '--port', '0', '--data', data)
    expect(await second.ended).toMatchObject({
      code: 1,
      errors: expect.stringContaining('[data-locked]'),
    })
    first.child.kill('SIGKILL')
    await first.ended
    await serve(data)
  })

  it('says in one line why it does not start', async () => {
    const { url } = await serve(makeDirectory())
    const taken = run('serve', '--port', new URL(url).port, '--data', makeDirectory())
    expect(await taken.ended).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^Something else listens on .* \[address-in-use\]\n$/),
    })
  })

  it('says what to do when its data can not be kept where it should be', async () => {
    const file = join(makeDirectory(), 'file')
    writeFileSync(file, '')
    const { code, errors } = await run('serve', '--port', '0', '--data', join(file, 'data')).ended
    expect([code, errors]).toEqual([1, expect.stringContaining('[data-unwritable]')])
  })

  it('does not listen to the world without authentication', async () => {
    const { code, errors } = await run(
      'serve',
      '--port',
      '0',
      '--host',
      '0.0.0.0',
      '--data',
      makeDirectory(),
    ).ended
    expect([code, errors]).toEqual([1, expect.stringContaining('[host-not-loopback]')])
  })

  it.each([
    ['--port', '70000'],
    ['--port', 'http'],
    ['--log-level', 'loud'],
  ])('refuses %s %s', async (option, value) => {
    const { code, errors } = await run('serve', option, value).ended
    expect([code, errors]).toEqual([1, expect.stringContaining(option)])
  })
})
