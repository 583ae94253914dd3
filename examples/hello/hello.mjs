import { collection, defineSchema, set } from '@tidemark/core'
import { createStore } from '@tidemark/core/node'
import * as z from 'zod'

const cards = collection({ title: z.string().min(1), tags: set(z.string()) })
const schema = defineSchema({ version: 1, collections: { cards } })
const device = (user) => createStore({ schema, user, space: 'hello', url: 'ws://localhost:8787' })

const ada = device('ada')
const bob = device('bob')
await Promise.all([ada.ready, bob.ready]) // local data is loaded; no network needed

const card = ada.cards.insert({ title: 'Hello', tags: ['first'] })
console.log(ada.cards.get(card.entity.id).$status) // pending: applied here, at once
await card.when('saved') //                           on this device
await card.when('synced') //                          fsynced by the relay
console.log(ada.cards.get(card.entity.id).$status) // synced

const mine = bob.cards.query({ where: (c) => c.id === card.entity.id })
while (mine.current.length === 0) await new Promise((seen) => mine.subscribe(seen))
console.log(`bob sees "${mine.current[0].title}"`) // bob sees "Hello"

await Promise.all([ada.close(), bob.close()])
