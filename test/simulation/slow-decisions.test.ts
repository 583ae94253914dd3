import { expect, test } from 'vitest'
import { simulate } from './simulation.js'

const FIRST_SEED = 1
const SEEDS = 60

test('[L9] [L10] [L21] with a relay whose app takes its time every run converges, loses nothing and never claims too much', {
  timeout: 240_000,
}, async () => {
  let synced = 0
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const course = { seed, steps: 120, devices: 3, wrongClocks: seed % 2 === 0 }
    const { counts } = await simulate({ ...course, slowAuthorize: true })
    synced += counts['synced'] ?? 0
  }
  expect(synced).toBeGreaterThan(SEEDS)
})
