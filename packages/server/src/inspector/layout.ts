import { html, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { Visit } from './gate.js'

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>

export const ROOT = '/inspect'

const SECTIONS = [
  ['', 'Spaces'],
  ['/operations', 'Operations'],
  ['/connections', 'Connections'],
  ['/limits', 'Limits'],
] as const

export interface Heading {
  readonly title: string
  /** The page that this one is a part of. */
  readonly above?: { readonly name: string; readonly href: string }
}

/** Everything around a page. */
export function layout(visit: Visit, section: string, heading: Heading, body: Html): Html {
  const { title, above } = heading
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Tidemark relay</title>
<link rel="stylesheet" href="${ROOT}/style.css">
</head>
<body>
<div class="rule">
<header>
<strong>Tidemark relay</strong>
<nav aria-label="Sections">${SECTIONS.map(
    ([path, name]) =>
      html`<a href="${ROOT}${path}"${raw(path === section ? ' aria-current="page"' : '')}>${name}</a>`,
  )}</nav>
<span class="who">${visit.user === '' ? 'on this machine' : visit.user}</span>
</header>
</div>
<main>
<h1>${above === undefined ? '' : html`<a href="${above.href}">${above.name}</a> / `}${title}</h1>
${body}
</main>
</body>
</html>`
}

export interface Column {
  readonly name: string
  readonly kind?: 'number' | 'wide'
}

/** A table that scrolls by itself on narrow screens; `empty` is said instead of one without rows. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly (Html | string | number)[])[],
  empty: string,
): Html {
  if (rows.length === 0) return html`<p class="quiet">${empty}</p>`
  const kindOf = (index: number): string => columns[index]?.kind ?? ''
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>
<thead><tr>${columns.map(({ name, kind = '' }) => html`<th scope="col" class="${kind}">${name}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr>${row.map((cell, index) => html`<td class="${kindOf(index)}">${typeof cell === 'number' ? formatNumber(cell) : cell}</td>`)}</tr>`,
  )}</tbody>
</table></div>`
}

export function facts(entries: readonly (readonly [string, Html | string | number])[]): Html {
  return html`<dl class="facts">${entries.map(
    ([name, value]) =>
      html`<div><dt>${name}</dt><dd>${typeof value === 'number' ? formatNumber(value) : value}</dd></div>`,
  )}</dl>`
}

export function formatNumber(value: number): string {
  return value.toLocaleString('en')
}

/** @param milliseconds since the epoch */
export function formatTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

export function spacePath(space: string): string {
  return `${ROOT}/spaces/${encodeURIComponent(space)}`
}

export function entityPath(space: string, collection: string, id: string): string {
  return `${spacePath(space)}/${encodeURIComponent(collection)}/${encodeURIComponent(id)}`
}
