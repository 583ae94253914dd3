import { collection, defineSchema, set, text } from '@tidemark/core'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createScenario } from './scenario.js'

const schema = defineSchema({
  version: 1,
  collections: {
    zones: collection({ name: z.string(), ttl: z.number(), tags: set(z.string()), notes: text() }),
  },
})

async function twoConsoles() {
  const scenario = createScenario(schema)
  const ada = (await scenario.wait(scenario.device('ada').open())).store
  const bob = (await scenario.wait(scenario.device('bob').open())).store
  await scenario.wait(
    ada.zones.insert({ id: 'z', name: 'example.org', ttl: 300, notes: 'Old' }).when('synced'),
  )
  const agree = (): boolean => {
    const shown = [ada, bob].map((store) => {
      const { $status: _status, ...row } = store.zones.get('z') ?? {}
      return JSON.stringify(row)
    })
    return new Set(shown).size === 1
  }
  const settle = (): Promise<void> =>
    scenario.until(
      () =>
        agree() &&
        [ada, bob].every(({ status: { current } }) => current.pending + current.syncing === 0),
    )
  await settle()
  return { ada, bob, settle }
}

describe('[D10] undo beside others', () => {
  test('[L25] leaves their values alone, and takes back what still stands of the same change', async () => {
    const { ada, bob, settle } = await twoConsoles()
    ada.zones.update('z', (zone) => {
      zone.name = 'example.net'
      zone.ttl = 60
      zone.tags.add('moved')
    })
    await settle()
    bob.zones.update('z', (zone) => {
      zone.ttl = 3600
      zone.tags.add('checked')
    })
    await settle()
    ada.undo()
    await settle()
    expect(bob.zones.get('z')).toMatchObject({ name: 'example.org', ttl: 3600, tags: ['checked'] })
    ada.redo()
    await settle()
    expect(bob.zones.get('z')).toMatchObject({
      name: 'example.net',
      ttl: 3600,
      tags: ['checked', 'moved'],
    })
  })

  test('[L25] keeps what they typed into a text', async () => {
    const { ada, bob, settle } = await twoConsoles()
    ada.zones.update('z', (zone) => zone.notes.insert(3, ' and new'))
    await settle()
    bob.zones.update('z', (zone) => zone.notes.insert(zone.notes.length, ' (checked)'))
    await settle()
    ada.undo()
    await settle()
    expect(bob.zones.get('z')?.notes).toBe('Old (checked)')
  })

  test('[L25] is not for what they did', async () => {
    const { ada, bob, settle } = await twoConsoles()
    bob.zones.delete('z')
    await settle()
    expect(bob.undo()).toBeDefined()
    await settle()
    expect(ada.zones.get('z')?.name).toBe('example.org')
    expect(bob.undo()).toBeUndefined()
  })
})
