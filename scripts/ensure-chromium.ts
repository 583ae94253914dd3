import { lookForChromium } from '../test/support/find-chromium.js'
import { read, run } from './run.js'

/**
 * Makes sure that there is a Chromium which starts: Debian's for root on a machine with apt, otherwise the one that
 * Playwright downloads.
 */
export function ensureChromium(): string {
  const present = lookForChromium()
  if (present !== undefined && works(present)) return present

  if (isRootWithApt()) {
    console.log('No Chromium found: installing the `chromium` package with apt-get …')
    run('apt-get', ['update'])
    run('apt-get', ['install', '-y', 'chromium'])
    const installed = lookForChromium()
    if (installed !== undefined && works(installed)) return installed
  }

  console.log('No Chromium found: downloading the one of Playwright …')
  run('playwright', ['install', 'chromium'])
  const downloaded = lookForChromium()
  if (downloaded !== undefined && works(downloaded)) return downloaded

  throw new Error(
    'The browser tests need Chromium, and it could not be installed. Install Chromium or Chrome yourself, ' +
      'or set TIDEMARK_CHROMIUM to the path of its executable.',
  )
}

function isRootWithApt(): boolean {
  return process.getuid?.() === 0 && read('apt-get', ['--version']) !== undefined
}

// Ubuntu's `chromium-browser` package is only a hint to use snap: it exists, and it doesn't start.
function works(path: string): boolean {
  // Chrome on Windows prints no version; there it is enough that it exists.
  return process.platform === 'win32' || read(path, ['--version']) !== undefined
}
