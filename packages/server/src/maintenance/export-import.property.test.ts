import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exportSpace } from './export.js'
import { importSpace } from './import.js'
import { inspect } from './inspect.js'
import { makeDirectory, openWorld, type Person, readSpace } from './world.test-support.js'

const now = (): number => 1_700_000_000_000
const SEED = 20_261_121

type Step =
  | {
      readonly kind: 'write'
      readonly by: number
      readonly id: string
      readonly field: string
      readonly value: string | number | null
    }
  | { readonly kind: 'type'; readonly by: number; readonly id: string; readonly text: string }
  | { readonly kind: 'delete'; readonly by: number; readonly id: string }
  | { readonly kind: 'learn'; readonly by: number; readonly id: string }

const by = fc.nat(2)
const id = fc.constantFrom('a', 'b', 'c', 'd')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      by,
      id,
      field: fc.constantFrom('title', 'url', 'tags:red', 'votes:b'),
      value: fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.constant(null)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('type' as const),
      by,
      id,
      text: fc.string({ minLength: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), by, id }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('learn' as const), by, id }) },
)

async function live(data: string, steps: readonly Step[]): Promise<void> {
  const world = openWorld(data)
  const people: Person[] = []
  for (const [index, user] of ['ada', 'bob', 'eve'].entries())
    people.push(await world.person(user, index + 10))
  for (const step of steps) {
    const person = people[step.by]
    if (person === undefined) continue
    if (step.kind === 'write') await person.write(step.id, { [step.field]: step.value })
    if (step.kind === 'delete') await person.write(step.id, { $deleted: 1_600_000_000_000 })
    if (step.kind === 'learn') person.learn(step.id)
    if (step.kind === 'type') {
      person.learn(step.id)
      await person.write(step.id, { title: 'typed' })
      await person.edit(step.id, (doc) => doc.getText('notes').insert(0, step.text))
    }
  }
  await world.close()
}

/** Without what belongs to a space rather than to an entity: its sequences. */
function withoutSequences(entities: ReturnType<typeof readSpace>): unknown {
  return Object.fromEntries(
    Object.entries(entities).map(([name, { version, ...rest }]) => [
      name,
      { ...rest, version: { ...version, confirmedSequence: 0 } },
    ]),
  )
}

async function exportTo(data: string, file: string, space = 'team'): Promise<void> {
  writeFileSync(file, '')
  const write = async (text: string): Promise<void> => appendFileSync(file, text)
  await exportSpace({ data, space, format: 'update', now, write })
}

describe('what is exported with everything and imported', () => {
  it('is the same: values, versions, conflicts, owners, and can be exported again', async () => {
    let conflicts = 0
    let texts = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const directory = makeDirectory()
        const [from, to, file] = ['from', 'to', 'export'].map((name) => join(directory, name)) as [
          string,
          string,
          string,
        ]
        await live(from, steps)
        const before = readSpace(from)
        if (Object.keys(before).length === 0) return
        conflicts += Object.values(before).filter(
          (entity) => Object.keys(entity.conflicts).length > 0,
        ).length
        texts += Object.values(before).filter((entity) => 'notes' in entity.values).length
        await exportTo(from, file)
        await openWorld(to).close()
        const entities = Object.keys(before).length
        expect(await importSpace({ data: to, file, now })).toMatchObject({
          imported: entities,
          keptCount: 0,
        })
        expect(withoutSequences(readSpace(to))).toEqual(withoutSequences(before))

        expect(await importSpace({ data: to, file, now })).toMatchObject({
          imported: 0,
          unchanged: entities,
        })
        expect(await importSpace({ data: from, file, now })).toMatchObject({
          imported: 0,
          unchanged: entities,
        })
        const again = `${file}-again`
        await exportTo(to, again)
        expect(bodyOf(again)).toEqual(bodyOf(file))
        const inspector = inspect(to)
        expect(inspector.verify().damage).toEqual([])
        inspector.close()
      }),
      { seed: SEED, numRuns: 40 },
    )
    expect([conflicts > 10, texts > 20]).toEqual([true, true])
  }, 120_000)

  it('can be written on by those who wrote it before', async () => {
    const directory = makeDirectory()
    const [from, to, file] = ['from', 'to', 'export'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ]
    const world = openWorld(from)
    const ada = await world.person('ada', 11)
    await ada.write('one', { title: 'first' })
    await world.close()
    await exportTo(from, file)
    await openWorld(to).close()
    await importSpace({ data: to, file, space: 'elsewhere', now })

    const other = openWorld(to)
    const again = await other.person('ada', 12, 'elsewhere')
    await again.write('two', { title: 'another' })
    await other.close()
    expect(readSpace(to, 'elsewhere')).toMatchObject({
      'cards/one': { values: { title: 'first' }, version: { confirmedSequence: 1 } },
      'cards/two': { version: { confirmedSequence: 2 } },
    })
  })
})

/** Its lines, without the header, the footer and the sequences of the space. */
function bodyOf(file: string): unknown[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1, -1)
    .map((line) => ({ ...(JSON.parse(line) as object), confirmedSequence: 0 }))
}
