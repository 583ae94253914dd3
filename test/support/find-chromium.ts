import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from 'playwright-core'

/** Switches for a headless Chromium that may run as root in a container and talks to nobody on its own. */
export const chromiumFlags: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const commands = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

const macApplications = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

function onWindows(): string[] {
  return ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((name) => {
    const folder = process.env[name]
    return folder === undefined ? [] : [join(folder, 'Google/Chrome/Application/chrome.exe')]
  })
}

function onPath(): string[] {
  const folders = ['/usr/bin', ...(process.env['PATH'] ?? '').split(delimiter)]
  return commands.flatMap((command) => folders.map((folder) => join(folder, command)))
}

function candidates(): string[] {
  if (process.platform === 'win32') return [...onWindows(), chromium.executablePath()]
  if (process.platform === 'darwin') return [...macApplications, chromium.executablePath()]
  return [...onPath(), chromium.executablePath()]
}

/**
 * The path of a Chromium or Chrome on this machine, or undefined. `TIDEMARK_CHROMIUM` comes first: if it is set,
 * nothing else is looked at.
 */
export function lookForChromium(): string | undefined {
  const wanted = process.env['TIDEMARK_CHROMIUM']
  if (wanted !== undefined && wanted !== '') {
    if (existsSync(wanted)) return wanted
    throw new Error(`TIDEMARK_CHROMIUM is set to ${wanted}, but there is no such file.`)
  }
  return candidates().find((path) => path !== '' && existsSync(path))
}

/** Like `lookForChromium`, but throws if there is none. */
export function findChromium(): string {
  const found = lookForChromium()
  if (found !== undefined) return found
  throw new Error(
    'No Chromium was found on this machine. `pnpm test` installs one; or install Chromium or Chrome yourself, ' +
      'or set TIDEMARK_CHROMIUM to the path of its executable.',
  )
}
