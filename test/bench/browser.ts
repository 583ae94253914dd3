import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openProfile } from '../support/browser-profile.js'
import { inRepository } from '../support/repository.js'
import { bundle } from './bundle.js'
import type { PagePrograms } from './programs/page.js'

type Name = keyof PagePrograms
type Argument<N extends Name> = Parameters<PagePrograms[N]>[0]
type Result<N extends Name> = Awaited<ReturnType<PagePrograms[N]>>

/** A Chromium with an empty profile, for the programs that run in pages. */
export interface BenchBrowser {
  /** Runs a program in a new page. */
  run<N extends Name>(name: N, argument: Argument<N>): Promise<Result<N>>
  dispose(): Promise<void>
}

export async function openBrowser(): Promise<BenchBrowser> {
  const entry = inRepository('test/bench/programs/page.ts')
  const site = await serve(await bundle(`import ${JSON.stringify(entry)}`))
  const profile = await openProfile('bench')
  return {
    async run<N extends Name>(name: N, argument: Argument<N>): Promise<Result<N>> {
      const page = await profile.newPage()
      try {
        await page.goto(site.url)
        const call = `programs[${JSON.stringify(name)}](${JSON.stringify(argument)})`
        return (await page.evaluate(call)) as Result<N>
      } finally {
        await page.close()
      }
    },
    async dispose() {
      await profile.dispose()
      site.close()
    },
  }
}

async function serve(script: string): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js'
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8')
    response.end(
      isScript ? script : '<!doctype html><script type="module" src="/page.js"></script>',
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
