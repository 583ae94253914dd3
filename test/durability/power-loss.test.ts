import { describe, expect, test } from 'vitest'
import { cutPowerEverywhere, recordLives } from './power-loss.js'

describe('a power cut', () => {
  test('try', async () => {
    for (let n = 1; n < 12; n++) {
      const recording = await recordLives({ end: 'stop' }, { end: 'kill', inject: `fsync:error=EIO:when=${n}` }, { end: 'stop' }).catch((e) => { console.log(n, String(e).slice(0, 300)) })
      if (!recording) continue
      const t = Date.now()
      for (const seed of [1,2,3]) {
      const found = await cutPowerEverywhere(recording, { every: 1, seed })
      console.log(n, recording.events.length, found.examined, found.promised, found.losses.length, found.losses.slice(0, 5), Date.now() - t)
      }
    }
    expect(1).toBe(1)
  })
})
