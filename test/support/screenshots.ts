import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

const folder = join(tmpdir(), 'tidemark-screenshots')

/** Keeps what a page looks like, for people; the one before is overwritten. Says where it is. */
export async function takeScreenshot(page: Page, name: string): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}.png`)
  await page.screenshot({ path })
  return path
}
