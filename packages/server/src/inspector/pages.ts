import { html } from 'hono/html'
import { formatBytes, type PlainEntity } from '../maintenance/index.js'
import type { ConnectionSummary, Limits, Readiness } from '../relay/index.js'
import {
  COUNTED_ENTITIES,
  type EntityHead,
  type EntityLine,
  type OperationLine,
  type SpaceSummary,
} from '../storage/index.js'
import {
  entityPath,
  facts,
  formatNumber,
  formatTime,
  type Html,
  ROOT,
  spacePath,
  table,
} from './layout.js'

export interface RelayFacts {
  readonly version: string
  readonly readiness: Readiness
  readonly epoch: string
  /** Milliseconds since the epoch. */
  readonly epochStartedAt: number
  /** Of the database; undefined when there is no file. */
  readonly bytes: number | undefined
  readonly connections: number
}

export function spacesPage(
  relay: RelayFacts,
  spaces: readonly SpaceSummary[],
  next: string | undefined,
): Html {
  const { readiness } = relay
  const state = readiness.ready
    ? html`takes operations`
    : html`<span class="alarm">takes no operations: ${readiness.reason}</span>`
  return html`${facts([
    ['State', state],
    ['Version', relay.version],
    ['Connections', relay.connections],
    ['Database', relay.bytes === undefined ? 'in memory only' : formatBytes(relay.bytes)],
    ['Epoch', html`<code>${relay.epoch}</code>`],
    ['Epoch began', formatTime(relay.epochStartedAt)],
  ])}
<h2>Spaces</h2>
${table(
  [
    { name: 'Space' },
    { name: 'Sequence', kind: 'number' },
    { name: 'Purged up to', kind: 'number' },
  ],
  spaces.map(({ space, head, horizon }) => [
    html`<a href="${spacePath(space)}">${space}</a>`,
    head,
    horizon === 0 ? '–' : horizon,
  ]),
  'Nobody has written anything yet.',
)}${next === undefined ? '' : nextLink(`${ROOT}?after=${encodeURIComponent(next)}`)}`
}

export interface SpaceView {
  readonly space: SpaceSummary
  readonly collections: readonly { readonly collection: string; readonly entities: number }[]
  readonly entities: readonly EntityLine[]
  readonly recent: readonly EntityLine[]
  readonly collection: string | undefined
  readonly prefix: string
  /** The query of the page behind this one. */
  readonly next: string | undefined
}

export function spacePage(view: SpaceView): Html {
  const { space, collections } = view
  const counted = collections.reduce((sum, { entities }) => sum + entities, 0)
  const more = counted >= COUNTED_ENTITIES ? ' or more' : ''
  return html`${facts([
    ['Sequence', space.head],
    ['Purged up to', space.horizon],
    ['Entities', `${formatNumber(counted)}${more}`],
    ...collections.map(({ collection, entities }) => [collection, entities] as const),
  ])}
<h2>Changed last</h2>
${entityTable(space.space, view.recent)}
<h2>All entities</h2>
<form method="get">
<label>Collection <select name="collection"><option value="">all</option>${collections.map(
    ({ collection }) =>
      collection === view.collection
        ? html`<option selected>${collection}</option>`
        : html`<option>${collection}</option>`,
  )}</select></label>
<label>Id begins with <input name="prefix" value="${view.prefix}" autocomplete="off"></label>
<button>Show</button>
</form>
${entityTable(space.space, view.entities)}${view.next === undefined ? '' : nextLink(`${spacePath(space.space)}?${view.next}`)}`
}

function entityTable(space: string, lines: readonly EntityLine[]): Html {
  return table(
    [
      { name: 'Entity' },
      { name: 'Version', kind: 'number' },
      { name: 'Modified' },
      { name: 'Confirmed by', kind: 'number' },
      { name: 'Size', kind: 'number' },
      { name: 'Client ids', kind: 'number' },
      { name: '' },
    ],
    lines.map((line) => {
      const { collection, id } = line.ref
      const name = html`<a href="${entityPath(space, collection, id)}">${collection}/${id}</a>`
      if (line.problem !== undefined)
        return [name, '', '', '', '', '', html`<span class="alarm">damaged</span>`]
      const { head } = line
      return [
        name,
        head.versionSequence,
        formatTime(head.lastModified / 1000),
        head.sequence,
        formatBytes(head.snapshotBytes + head.logBytes),
        head.clients.size,
        head.tombstoneAt === null ? '' : html`<span class="quiet">deleted</span>`,
      ]
    }),
    'None.',
  )
}

export type EntityPageView =
  | { readonly head: EntityHead; readonly plain: PlainEntity; readonly problem?: undefined }
  | { readonly problem: string }

export function entityPage(view: EntityPageView): Html {
  if (view.problem !== undefined) return html`<p class="alarm">${view.problem}</p>`
  const { head, plain } = view
  return html`${facts([
    ['Version', head.versionSequence],
    ['Modified', formatTime(head.lastModified / 1000)],
    ['Confirmed by', head.sequence],
    ['Generation', html`<code>${head.generation}</code>`],
    ['Size', formatBytes(head.snapshotBytes + head.logBytes)],
    ['Updates since the last snapshot', head.logLength],
    ['Schema', plain.schema],
    ['Deleted', plain.deletedAt === null ? 'no' : formatTime(plain.deletedAt)],
  ])}
<h2>Values</h2>
${table(
  [{ name: 'Field' }, { name: 'Value', kind: 'wide' }],
  Object.entries(plain.values).map(([field, value]) => [field, code(value)]),
  'It has no values.',
)}
<h2>Conflicts</h2>
${table(
  [{ name: 'Field' }, { name: 'Value', kind: 'wide' }, { name: 'Written by' }, { name: 'at' }],
  Object.entries(plain.conflicts).flatMap(([field, rivals]) =>
    rivals.map(({ value, actor, lastModified }) => [
      field,
      code(value),
      html`<code>${actor}</code>`,
      formatTime(lastModified / 1000),
    ]),
  ),
  'None: everybody who wrote had seen what was there.',
)}
<h2>Client ids</h2>
${table(
  [
    { name: 'Client id', kind: 'number' },
    { name: 'User' },
    { name: 'Replica' },
    { name: 'Clock', kind: 'number' },
  ],
  [...head.clients].map(([client, { user, replica, clock }]) => [
    html`<code>${client}</code>`,
    user === '' ? html`<span class="quiet">nobody any more</span>` : user,
    html`<code>${replica}</code>`,
    clock,
  ]),
  'None.',
)}`
}

/** More of a value would only make the page slow. */
const SHOWN_CHARACTERS = 4_000

function code(value: unknown): Html {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  if (text.length <= SHOWN_CHARACTERS) return html`<pre>${text}</pre>`
  return html`<pre>${text.slice(0, SHOWN_CHARACTERS)}</pre><span class="quiet">and ${formatNumber(text.length - SHOWN_CHARACTERS)} characters more</span>`
}

export function operationsPage(lines: readonly OperationLine[]): Html {
  return table(
    [
      { name: 'Accepted' },
      { name: 'Space' },
      { name: 'Sequence', kind: 'number' },
      { name: 'User' },
      { name: 'Replica' },
      { name: 'Operation' },
    ],
    lines.map((line) => {
      const space = html`<a href="${spacePath(line.space)}">${line.space}</a>`
      if (line.problem !== undefined)
        return ['', space, '', '', '', html`<span class="alarm">${line.id} is damaged</span>`]
      const { acceptedAt, sequence, user, replica, id } = line.operation
      return [
        formatTime(acceptedAt),
        space,
        sequence,
        user,
        html`<code>${replica}</code>`,
        html`<code>${id}</code>`,
      ]
    }),
    'No operation was accepted yet.',
  )
}

export function connectionsPage(connections: readonly ConnectionSummary[], now: number): Html {
  return table(
    [
      { name: 'User' },
      { name: 'Replica' },
      { name: 'Address' },
      { name: 'Spaces', kind: 'wide' },
      { name: 'Since' },
      { name: 'Buffered', kind: 'number' },
      { name: 'Unanswered', kind: 'number' },
    ],
    connections.map(
      ({ user, replica, remoteAddress, spaces, since, bufferedBytes, unanswered }) => [
        user,
        html`<code>${replica}</code>`,
        remoteAddress ?? '',
        spaces.map(({ space, role }) => `${space} (${role ?? 'no role'})`).join(', '),
        formatDuration(now - since),
        formatBytes(bufferedBytes),
        unanswered,
      ],
    ),
    'Nobody is connected.',
  )
}

export function limitsPage(limits: Limits): Html {
  return html`<p class="quiet">Set by the configuration; what each means stands in docs/operations.md.</p>
${table(
  [{ name: 'Limit' }, { name: 'Value', kind: 'number' }],
  Object.entries(limits).map(([name, value]) => [
    html`<code>${name}</code>`,
    typeof value === 'number' ? formatNumber(value) : String(value),
  ]),
  'None.',
)}`
}

function nextLink(href: string): Html {
  return html`<p class="next"><a href="${href}">More →</a></p>`
}

function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}
