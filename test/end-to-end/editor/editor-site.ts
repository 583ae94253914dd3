import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { bundle } from '../../bench/bundle.js'
import type { BrowserProfile } from '../../support/browser-profile.js'
import { inRepository } from '../../support/repository.js'
import type { EditorPage } from './page.js'

/** The page with the stock editor, served from an origin of its own. */
export interface EditorSite {
  open(profile: BrowserProfile, options: EditorOptions): Promise<EditorTab>
  close(): void
}

export interface EditorOptions {
  /** The relay's HTTP side. */
  readonly relay: string
  readonly room: string
  readonly name: string
  readonly persisted?: boolean
}

export interface EditorTab {
  readonly page: Page
  text(): Promise<string>
  ask<K extends keyof EditorPage>(what: K): Promise<ReturnType<EditorPage[K]>>
  /** Types at the end of the editor. */
  type(text: string): Promise<void>
}

export async function serveEditor(): Promise<EditorSite> {
  const entry = inRepository('test/end-to-end/editor/page.ts')
  const script = await bundle(`import ${JSON.stringify(entry)}`)
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js'
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8')
    response.end(
      isScript
        ? script
        : '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    async open(profile, { relay, room, name, persisted = false }) {
      const page = await profile.newPage()
      const query = new URLSearchParams({
        relay: relay.replace('http', 'ws'),
        room,
        name,
        persisted: String(persisted),
      })
      await page.goto(`http://127.0.0.1:${port}/?${query.toString()}`)
      await page.waitForFunction('window.editor !== undefined')
      const ask: EditorTab['ask'] = (what) => page.evaluate(`window.editor.${what}()`)
      return {
        page,
        ask,
        text: () => ask('text'),
        async type(text) {
          await page.locator('.cm-content').focus()
          await page.keyboard.press('Control+End')
          await page.keyboard.type(text)
        },
      }
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
