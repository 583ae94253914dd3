import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

// The path is from the root of the repository, where tests are started: in jsdom, modules have no file.
const css = readFileSync('packages/react/src/styles.css', 'utf8').replaceAll(/\/\*.*?\*\//gs, '')

/** The colours that one theme sets, by variable. */
function coloursAfter(selector: string): ReadonlyMap<string, string> {
  const start = css.indexOf(selector)
  expect(start).toBeGreaterThanOrEqual(0)
  const block = css.slice(css.indexOf('{', start), css.indexOf('}', start))
  return new Map(
    [...block.matchAll(/--tidemark-([a-z]+): (#[0-9a-f]{6})/g)].map(([, name, colour]) => [
      String(name),
      String(colour),
    ]),
  )
}

/** WCAG 2.2, "relative luminance" and "contrast ratio". */
function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const channel = Number.parseInt(colour.slice(start, start + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

it.each([
  ['light', ':where([data-theme="light"])'],
  ['dark', ':where([data-theme="dark"])'],
])('has colours in the %s theme that can be read on its surface', (_theme, selector) => {
  const { surface, ...colours } = Object.fromEntries(coloursAfter(selector))
  for (const name of ['accent', 'success', 'warning', 'danger', 'muted', 'text']) {
    expect(contrast(String(colours[name]), String(surface)), name).toBeGreaterThan(4.5)
  }
})

it('has the same dark theme by attribute and by preference', () => {
  expect([...coloursAfter(':where(:root:not([data-theme="light"]))')]).toEqual([
    ...coloursAfter(':where([data-theme="dark"])'),
  ])
})

it('moves only where motion is welcome', () => {
  const [still = '', moving = ''] = css.split('@media (prefers-reduced-motion: no-preference)')
  expect(still).not.toMatch(/animation|transition/)
  expect(moving).toMatch(/animation: tidemark-spin/)
})

it('touches no class and no variable but its own', () => {
  for (const [name] of css.matchAll(/(?<=[\s>(,])(?:\.|--)[a-z][\w-]*/g)) {
    expect(name).toMatch(/^(?:\.|--)tidemark-/)
  }
})
