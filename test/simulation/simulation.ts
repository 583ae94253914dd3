import { isTidemarkError, type OpenDocument } from '@tidemark/core'
import {
  compactUpdate,
  counterValue,
  decodeContent,
  mergeUpdates,
  viewOf,
} from '@tidemark/core/entity'
import { decodeRelayMessage } from '@tidemark/core/protocol'
import type { Authorize, RelayConnection } from '@tidemark/server'
import {
  type Card,
  type CardFields,
  isTombstone,
  rowsOf,
  type Schema,
  schema,
  valuesOf,
} from './cards.js'
import { relayWrongness, stampViolation, wrongness } from './clocks.js'
import { createDevice, type Tab } from './device.js'
import { createModel } from './model.js'
import { CALM, createNetwork } from './network.js'
import { type SeededRandom, seededRandom } from './random.js'
import { createRelayHost, type RelayHostOptions } from './relay-host.js'
import { createScheduler, type Scheduler } from './scheduler.js'
import { createSharedModel } from './shared-model.js'

export interface SimulationOptions {
  readonly seed: number
  /** Local changes and faults, in all. */
  readonly steps: number
  readonly devices: number
  /** Whether clocks are wrong and are set: those of devices by up to ten years, the relay's by up to an hour. */
  readonly wrongClocks?: boolean
  /** Whether the relay's disk is lost now and then, and an older backup put in its place. Nobody rolls anything back then. */
  readonly restores?: boolean
  /** Whether the relay's app thinks about each change before it allows it; at times too long, at times in vain. */
  readonly slowAuthorize?: boolean
  readonly tamper?: RelayHostOptions['tamper']
}

export interface SimulationResult {
  /** What happened, for comparing two runs and for showing that something did. */
  readonly counts: Readonly<Record<string, number>>
  readonly events: number
  /** The final rows, the same on every device. */
  readonly rows: readonly Card[]
}

/** An invariant that did not hold. The message names the seed: running it again shows the same course. */
export class InvariantViolation extends Error {
  constructor(seed: number, what: string) {
    super(`seed ${seed}: ${what}`)
  }
}

/** Refused by the relay, since its entity would get too large: far above what the other values need. */
const TOO_LARGE = 'x'.repeat(9_500)
/** More than the relay says that it takes: the device doesn't even send it. */
const NEVER_SENT = 'x'.repeat(13_000)
const LIMITS = { maxEntityBytes: 9_000, maxOperationBytes: 12_000, renewAboveClients: 2 }
/** Typing and adding more often than taking away, so that there is something to take. */
const SHARED_KINDS = [
  'type',
  'type',
  'type',
  'erase',
  'count',
  'add',
  'add',
  'move',
  'drop',
] as const
const SPACE = 'team'
const DRAIN_MS = 10 * 60 * 1000
/** So long may it take after everything was healed until all are at rest, and then until all tabs show the same. */
const REST_MS = 2 * 60 * 1000
/** The chance that a message between tabs is lost while everything else works. */
const LASTING_MESSAGE_LOSS = 0.2

/** Allows everything, after a while: well within the relay's deadline, mostly. */
function slowly(scheduler: Scheduler, random: SeededRandom): Authorize {
  return () => {
    const throws = random.chance(0.02)
    const delay = random.unit() * (random.chance(0.05) ? 6_000 : 200)
    return new Promise((resolve, reject) => {
      scheduler.after(delay, () =>
        throws ? reject(new Error('the policy is down')) : resolve(true),
      )
    })
  }
}

/** Many devices with several tabs each, one relay, and a network, all on one virtual clock. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, steps } = options
  const random = seededRandom(seed)
  const scheduler = createScheduler()
  const host = createRelayHost(scheduler, random.fork(), {
    limits: options.restores ? { ...LIMITS, renewAboveClients: 1_000 } : LIMITS,
    ...(options.tamper && { tamper: options.tamper }),
    ...(options.slowAuthorize && { authorize: slowly(scheduler, seededRandom(seed)) }),
  })
  const network = createNetwork(scheduler, random.fork(), () => {
    const { relay } = host
    return relay && ((connection) => relay.connect(counted(connection)))
  })
  const devices = Array.from({ length: options.devices }, (_, index) =>
    createDevice(scheduler, random.fork(), network, {
      schema,
      user: `user${index % 2}`,
      locks: random.chance(0.8),
    }),
  )
  const model = createModel()
  const shared = createSharedModel()
  const counts: Record<string, number> = {}
  /** Operations that were saved: none of them may be missing at the end, unless the relay refused it. */
  const saved = new Set<string>()
  const refused = new Set<string>()
  /** Operations that somebody wanted taken back: they may be gone, or accepted before. */
  const rolledBack = new Set<string>()
  const openDocuments = new Map<Tab<Schema>['store'], Map<string, OpenDocument<CardFields>>>()
  let writes = 0
  let typed = 0
  const nextLetter = (): string => String.fromCodePoint(0x4e00 + typed++)

  const count = (what: string): void => {
    counts[what] = (counts[what] ?? 0) + 1
  }
  const fail = (what: string): never => {
    throw new InvariantViolation(seed, what)
  }
  const onDisk = (): Iterable<string> => host.disk.spaces.get(SPACE)?.operations.keys() ?? []
  /** Accepted by a former life of the relay's database. */
  const formerly = new Set<string>()
  const accepted = (): Set<string> => new Set([...formerly, ...onDisk()])

  /** Waits for a promise that virtual time has to bring about. */
  async function wait<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    promise.then(
      () => {
        settled = true
      },
      () => {
        settled = true
      },
    )
    const inTime = await scheduler.runUntil(() => settled, DRAIN_MS)
    if (!inTime) fail('something that was awaited never happened')
    return promise
  }

  function follow(id: string, when: (stage: 'saved' | 'synced') => Promise<void>): void {
    when('saved').then(
      () => void saved.add(id),
      () => undefined,
    )
    when('synced').then(
      () => {
        // [L18] The promise of the whole product: never before the relay's commit.
        if (!accepted().has(id)) premature ??= id
        count('synced')
      },
      (error: unknown) => {
        if (isTidemarkError(error) && error.code !== 'store-closed') refused.add(id)
      },
    )
  }
  let premature: string | undefined

  function change(tab: Tab<Schema>, tools: SeededRandom): void {
    const { cards } = tab.store
    const id = `card${tools.below(6)}`
    const card = cards.get(id)
    const field = tools.pick(['title', 'note'] as const)
    writes += 1
    const large = tools.chance(0.04)
    const value = `${writes}${large ? tools.pick([TOO_LARGE, NEVER_SENT]) : ''}`
    const note = (operation: string, saw: readonly string[]): void =>
      model.write({ operation, entity: id, field, value, saw })
    if (tools.chance(0.05) && !options.restores) {
      rollBack(tab, tools)
    } else if (card === undefined && isTombstone(tab.store, id)) {
      // Made anew it would begin another life: `lives.test.ts` is about that.
      const op = cards.restore(id)
      follow(op.id, op.when)
      count('restores')
    } else if (card === undefined) {
      const op = cards.insert({ id, [field]: value })
      note(op.id, [])
      follow(op.id, op.when)
      count(large ? 'inserts that are too large' : 'inserts')
    } else if (tools.chance(0.1)) {
      const op = cards.delete(id)
      follow(op.id, op.when)
      count('deletes')
    } else if (tools.chance(0.15)) {
      const tag = tools.pick(['red', 'green', 'blue'])
      const op = cards.update(id, (draft) => {
        if (draft.tags.has(tag)) draft.tags.delete(tag)
        else draft.tags.add(tag)
      })
      follow(op.id, op.when)
      count('tags')
    } else if (tools.chance(0.4)) {
      changeShared(tab, card, tools)
    } else if (tools.below(6) === 0) {
      changeSeveral(tab, tools)
    } else {
      const rivals = card.$conflicts[field]?.map((rival) => String(rival.value))
      const shown = card[field]
      const saw = rivals ?? (shown === undefined ? [] : [shown])
      const op = cards.update(id, (draft) => {
        draft[field] = value
      })
      note(op.id, saw)
      follow(op.id, op.when)
      count(large ? 'updates that are too large' : 'updates')
    }
  }

  /** Types, erases, counts, or changes the list; now and then together with a field, and in a size that is refused. */
  function changeShared(tab: Tab<Schema>, card: Card, tools: SeededRandom): void {
    const { cards } = tab.store
    const { id } = card
    const kind = tools.pick(SHARED_KINDS)
    if (tools.chance(0.3)) {
      typeLive(tab, card, tools)
      return
    }
    const refusedTitle = tools.chance(0.15)
    writes += 1
    const value = `${writes}${refusedTitle ? TOO_LARGE : ''}`
    const letters = Array.from({ length: tools.below(3) + 1 }, () => nextLetter())
    const body = [...card.body]
    const at = tools.below(body.length + 1)
    const erased = body.slice(at, at + tools.below(3) + 1)
    const by = tools.pick([-2, -1, 1, 2])
    const element = `step ${writes}`
    const step = card.steps[tools.below(card.steps.length)]
    // What changes nothing is no operation.
    if (kind === 'erase' && erased.length === 0) return
    if ((kind === 'move' || kind === 'drop') && step === undefined) return
    const op = cards.update(id, (draft) => {
      if (refusedTitle) draft.title = value
      if (kind === 'type') draft.body.insert(at, letters.join(''))
      if (kind === 'erase') draft.body.delete(at, erased.length)
      if (kind === 'count') draft.votes.increment(by)
      if (kind === 'add') draft.steps.insert(tools.below(draft.steps.length + 1), element)
      if (step !== undefined && kind === 'drop') draft.steps.delete(card.steps.indexOf(step))
      if (step !== undefined && kind === 'move')
        draft.steps.move(card.steps.indexOf(step), tools.below(draft.steps.length))
    })
    if (refusedTitle) {
      const saw = card.$conflicts['title']?.map((rival) => String(rival.value))
      const shown = card.title === undefined ? [] : [card.title]
      model.write({ operation: op.id, entity: id, field: 'title', value, saw: saw ?? shown })
    }
    if (kind === 'type') shared.typed(op.id, id, letters)
    if (kind === 'erase') shared.erased(op.id, erased)
    if (kind === 'count') shared.counted(op.id, id, by)
    if (kind === 'add') shared.listed(op.id, id, element)
    if (kind === 'drop' && step !== undefined) shared.unlisted(op.id, step)
    follow(op.id, op.when)
    count(`${kind}s in a document`)
  }

  /** Takes back an operation that waits, whoever made it. It may be too late for that. */
  function rollBack({ store }: Tab<Schema>, tools: SeededRandom): void {
    const waiting = store.operations.current.filter(({ state }) => state !== 'failed')
    if (waiting.length === 0) return
    const { id } = tools.pick(waiting)
    rolledBack.add(id)
    store.operations.rollback(id).then(
      () => count('rollbacks'),
      () => count('rollbacks that came too late'),
    )
  }

  /** Types into an open document, as an editor does that is bound to it for a long time. */
  function typeLive({ store }: Tab<Schema>, { id }: Card, tools: SeededRandom): void {
    const open = openDocuments.get(store) ?? new Map<string, OpenDocument<CardFields>>()
    openDocuments.set(store, open)
    const live = open.get(id) ?? store.cards.open(id)
    open.set(id, live)
    const body = live.text('body')
    const letters = Array.from({ length: tools.below(3) + 1 }, () => nextLetter())
    const at = tools.below(body.length + 1)
    const erased = tools.chance(0.3) ? body.toString().slice(at, at + 2) : ''
    live.doc.transact(() => {
      if (erased !== '') body.delete(at, erased.length)
      body.insert(at, letters.join(''))
    })
    live.flush()
    const op = store.operations.current.at(-1)
    if (op === undefined) throw new Error('typing made no operation')
    shared.typed(op.id, id, letters)
    shared.erased(op.id, [...erased])
    count('types in an open document')
  }

  /** One operation on several entities: some that are there, perhaps one that isn't yet. */
  function changeSeveral({ store }: Tab<Schema>, tools: SeededRandom): void {
    const ids = [0, 1, 2].map(() => `card${tools.below(6)}`)
    const large = tools.chance(0.1)
    /** Deleted here: `get` doesn't show them, and an insert would be refused. */
    const tombstones = new Set(ids.filter((id) => isTombstone(store, id)))
    const noted: { entity: string; value: string; saw: string[] }[] = []
    const op = store.transact((tx) => {
      for (const id of new Set(ids)) {
        writes += 1
        const value = `${writes}${large ? TOO_LARGE : ''}`
        const card = tx.cards.get(id)
        if (card !== undefined) {
          const rivals = card.$conflicts['title']?.map((rival) => String(rival.value))
          const saw = rivals ?? (card.title === undefined ? [] : [card.title])
          tx.cards.update(id, (draft) => {
            draft.title = value
          })
          noted.push({ entity: id, value, saw })
        } else if (!tombstones.has(id)) {
          tx.cards.insert({ id, title: value })
          noted.push({ entity: id, value, saw: [] })
        }
      }
    })
    if (op.entities.length === 0) return
    for (const write of noted) model.write({ operation: op.id, field: 'title', ...write })
    follow(op.id, op.when)
    count(large ? 'transactions that are too large' : 'transactions')
  }

  async function disturb(tools: SeededRandom): Promise<void> {
    const device = tools.pick(devices)
    const tab = device.tabs.length > 0 ? tools.pick(device.tabs) : undefined
    const what = tools.below(9)
    if (what === 0 && host.relay !== undefined) {
      host.crash()
      for (const wire of [...network.wires]) wire.cut()
      count('relay crashes')
    } else if (what === 1 && host.relay === undefined) {
      host.start()
    } else if (what === 2 && tab !== undefined) {
      tab.crash()
      count('tab crashes')
    } else if (what === 3 && tab !== undefined) {
      await wait(tab.close())
      count('tabs closed')
    } else if (what === 4 && device.tabs.length < 3) {
      await wait(device.open())
      count('tabs opened')
    } else if (what === 5) {
      device.online = !device.online
      if (device.online) device.hint()
      count('devices unplugged or plugged in')
    } else if (what === 6 && network.wires.size > 0) {
      tools.pick([...network.wires]).cut()
      count('cuts')
    } else if (what === 7 && network.wires.size > 0) {
      tools.pick([...network.wires]).blackhole(tools.pick(['up', 'down']))
      count('blackholes')
    } else if (what === 8) {
      network.faults = tools.chance(0.5)
        ? CALM
        : { latency: 200, cut: 0.01, blackhole: 0.003, duplicate: 0.05 }
    }
  }

  /** Sees every frame that the relay sends. */
  function counted(connection: RelayConnection): RelayConnection {
    return {
      ...connection,
      send(frame) {
        const message = decodeRelayMessage(frame)
        if (message.type === 'reject' && message.code === 'drift') count('drift refusals')
        connection.send(frame)
      },
    }
  }

  /** [CLK-1] [CLK-2] Somebody sets a clock. */
  function setClock(clocks: SeededRandom): void {
    if (clocks.chance(0.15)) {
      host.setClock(relayWrongness(clocks))
      count("steps of the relay's clock")
    } else {
      clocks.pick(devices).clock.ahead = wrongness(clocks)
      count('clock steps')
    }
  }

  /** The relay's disk is copied, or lost and an older copy put in its place [BAK-2]. */
  function loseDisk(restores: SeededRandom): void {
    if (backup === undefined || restores.chance(0.6)) {
      backup = host.backup()
      return
    }
    for (const id of onDisk()) formerly.add(id)
    host.restore(backup)
    for (const wire of [...network.wires]) wire.cut()
    if (restores.chance(0.8)) host.start()
    count('restores of a backup')
  }
  let backup: ReturnType<typeof host.backup> | undefined

  const tools = random.fork()
  const clocks = random.fork()
  const restores = random.fork()
  if (options.wrongClocks) {
    for (const { clock } of devices) if (clocks.chance(0.5)) clock.ahead = wrongness(clocks)
  }
  for (const device of devices) await wait(device.open())
  for (let step = 0; step < steps; step++) {
    if (options.wrongClocks && clocks.chance(0.05)) setClock(clocks)
    if (options.restores && restores.chance(0.05)) loseDisk(restores)
    const open = devices.flatMap((device) => [...device.tabs])
    if (open.length > 0 && tools.chance(0.75)) change(tools.pick(open), tools)
    else await disturb(tools)
    // Mostly in quick succession, now and then after a while.
    await scheduler.runUntil(() => false, tools.chance(0.1) ? 3000 : tools.below(60))
    if (premature !== undefined) fail(`operation ${premature} was "synced" before the commit`)
  }

  await heal()
  const rows = await check()
  return { counts, events: scheduler.events, rows }

  /**
   * Everything works again but the messages between tabs: from here on all must come to rest by itself. No tab is told that
   * it is looked at or that the network is back, since nobody may be there.
   */
  async function heal(): Promise<void> {
    network.faults = CALM
    if (host.relay === undefined) host.start()
    for (const device of devices) {
      device.online = true
      device.messageLoss = LASTING_MESSAGE_LOSS
      if (device.tabs.length === 0) await wait(device.open())
    }
    const idle = (): boolean =>
      devices.every((device) =>
        device.tabs.every(({ store }) => {
          const { connection, pending, syncing } = store.status.current
          return connection === 'online' && pending === 0 && syncing === 0
        }),
      )
    // Links that are dead without knowing are found by their heartbeats first.
    await scheduler.runUntil(() => false, 60_000)
    const drained = await scheduler.runUntil(idle, REST_MS)
    if (!drained) {
      const states = devices.flatMap((device) =>
        device.tabs.map(
          ({ store }) =>
            `${JSON.stringify(store.status.current)} ${JSON.stringify(store.operations.current.filter(({ state }) => state !== 'failed').map(({ id, state, attempts, lastError, entities }) => ({ id, state, attempts, lastError, entities, accepted: accepted().has(id) })))}\n`,
        ),
      )
      fail(
        `[O9] not at rest ${REST_MS / 60_000} min after everything was healed: ${states.join(' ')}`,
      )
    }
    // Changes that were acknowledged last still travel to the others.
    await scheduler.runUntil(() => false, REST_MS)
  }

  async function check(): Promise<readonly Card[]> {
    const known = accepted()
    if (premature !== undefined) fail(`operation ${premature} was "synced" before the commit`)
    for (const id of saved) {
      if (!known.has(id) && !refused.has(id) && !rolledBack.has(id) && !parked().has(id))
        fail(`[O2] saved operation ${id} is lost`)
    }
    for (const { disk } of devices) {
      // What a tab had on the disk when it crashed: perhaps no other one has heard of it.
      for (const { row } of disk.spaces.get(SPACE)?.operations.values() ?? []) {
        if (row.failure === null) fail(`[O9] operation ${row.id} stays on a device`)
      }
    }
    const states = devices.flatMap((device) => device.tabs.map((tab) => rowsOf(tab)))
    const [first, ...others] = states.map((rows) => JSON.stringify(rows.map(valuesOf)))
    others.forEach((other, index) => {
      if (other !== first) fail(`[O1] tab ${index + 1} shows ${other}, tab 0 shows ${first}`)
    })
    const sequence = host.disk.spaces.get(SPACE)?.sequence ?? 0
    // A renewal takes a sequence too [L16].
    const numbered = [...onDisk()].length
    if (sequence < numbered) fail(`[L18] sequence ${sequence} after ${numbered} operations`)
    const violation = stampViolation(host.disk, SPACE, host.latest)
    if (violation !== undefined) fail(violation)
    checkValues(known)
    checkShared(known)
    checkBytes()
    checkStatuses()
    count(
      states[0]?.some((row) => Object.keys(row.$conflicts).length > 0)
        ? 'ends with conflicts'
        : 'ends without',
    )
    return states[0] ?? []
  }

  /** Operations that were parked by tabs that are gone: they are in the outbox of some device. */
  function parked(): Set<string> {
    return new Set(
      devices.flatMap((device) =>
        device.tabs.flatMap(({ store }) =>
          store.operations.list({ state: 'failed' }).map(({ id }) => id),
        ),
      ),
    )
  }

  /**
   * [O7] The relay's documents hold what the model says, deleted entities included. When an operation was refused on one
   * link and a late copy of it accepted on another, its author had gone on without it: its value stands beside the others.
   */
  function checkValues(known: ReadonlySet<string>): void {
    const expected = model.liveValues(known)
    const found = new Map<string, Set<string>>()
    for (const entity of host.disk.spaces.get(SPACE)?.entities.values() ?? []) {
      const log = [entity.snapshot, ...entity.updates].flatMap((row) => row?.bytes ?? [])
      const view = viewOf(decodeContent(mergeUpdates(log)))
      for (const field of ['title', 'note']) {
        const value = view.values[field]
        if (value === undefined) continue
        const rivals = view.conflicts?.[field]?.map((rival) => String(rival.value))
        found.set(`${entity.ref.id}.${field}`, new Set(rivals ?? [String(value)]))
      }
    }
    const show = (values: Map<string, Set<string>>): string =>
      [...values]
        .map(([key, set]) => `${key}=${[...set].sort().join('|')}`)
        .sort()
        .join(' ')
    const contradicted = [...refused].some((id) => known.has(id))
    if (contradicted) {
      count('refused here, accepted there')
      for (const [key, values] of expected) {
        for (const value of values) {
          if (!found.get(key)?.has(value)) fail(`[O7] ${key} lacks ${value}: ${show(found)}`)
        }
      }
      return
    }
    if (show(found) !== show(expected))
      fail(`[O7] the relay holds ${show(found)}, not ${show(expected)}`)
  }

  /** [CONV-1] Every device's documents are the relay's, item by item. */
  function checkBytes(): void {
    for (const entity of host.disk.spaces.get(SPACE)?.entities.values() ?? []) {
      const log = [entity.snapshot, ...entity.updates].flatMap((row) => row?.bytes ?? [])
      const key = `${entity.ref.collection}/${entity.ref.id}`
      const wanted = compactUpdate(mergeUpdates(log)).join()
      for (const { disk } of devices) {
        const row = disk.spaces.get(SPACE)?.entities.get(key)?.row
        if (row === undefined) fail(`[CONV-1] a device lacks ${key}`)
        else if (row.generation !== entity.head?.generation)
          fail(`[L16] ${key} is of generation ${row.generation}, not ${entity.head?.generation}`)
        else if (compactUpdate(row.bytes).join() !== wanted)
          fail(`[CONV-1] a device's bytes of ${key} differ from the relay's`)
      }
    }
  }

  /** [O7] [L5] [L15] What was typed, counted and listed is there once, and nothing else. */
  function checkShared(known: ReadonlySet<string>): void {
    const contradicted = [...refused].some((id) => known.has(id))
    const letters = shared.letters(known)
    const tolerated = shared.typedBy(rolledBack)
    const elements = shared.elements(known)
    const sums = shared.sums(known)
    for (const { ref, snapshot, updates } of host.disk.spaces.get(SPACE)?.entities.values() ?? []) {
      const log = [snapshot, ...updates].flatMap((row) => row?.bytes ?? [])
      const view = viewOf(decodeContent(mergeUpdates(log)))
      const body = [...String(view.shared?.['body'] ?? '')]
      const expected = letters.get(ref.id) ?? new Set()
      if (new Set(body).size !== body.length) fail(`[O7] ${ref.id} has a letter twice: ${body}`)
      const missing = [...expected].filter((letter) => !body.includes(letter))
      if (missing.length > 0) fail(`[O7] ${ref.id} lacks the letters ${missing}: ${body}`)
      // Rolled back here, and a late copy accepted there: what erased its letters had found them gone.
      const extra = body.filter((letter) => !expected.has(letter) && !tolerated.has(letter))
      if (!contradicted && extra.length > 0)
        fail(`[O7] ${ref.id} holds the letters ${body}, not ${[...expected]}`)
      const sum = sums.get(ref.id) ?? 0
      if (counterValue(view, 'votes') !== sum)
        fail(`[CONV-6] ${ref.id} counts ${counterValue(view, 'votes')}, not ${sum}`)
      const steps = [view.shared?.['steps'] ?? []].flat()
      for (const element of elements.get(ref.id) ?? [])
        if (!steps.includes(element))
          fail(`[CONV-5] ${ref.id} lacks the step ${element.slice(0, 9)}`)
    }
    for (const { store } of devices.flatMap((device) => [...device.tabs])) {
      for (const [id, live] of openDocuments.get(store) ?? []) {
        const shown = store.cards.get(id)?.body
        const typedInto = live.text('body').toString()
        if (shown !== undefined && typedInto !== shown)
          fail(`[L14] the open document of ${id} holds ${typedInto}, its row ${shown}`)
      }
    }
    for (const { steps } of devices[0]?.tabs[0]?.store.cards.query().current ?? [])
      if (new Set(steps).size !== steps.length) fail(`[CONV-5] a step is there twice: ${steps}`)
  }

  function checkStatuses(): void {
    for (const device of devices) {
      for (const { store } of device.tabs) {
        const failed = new Set(
          store.operations.current.flatMap(({ entities }) => entities.map(({ id }) => id)),
        )
        for (const row of store.cards.query().current) {
          const wanted = failed.has(row.id) ? 'error' : 'synced'
          if (row.$status !== wanted) fail(`[O8] ${row.id} is ${row.$status}, not ${wanted}`)
        }
      }
    }
  }
}
