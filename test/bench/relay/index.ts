import type { Benchmark } from '../report.js'
import { cold } from './cold.js'
import { durable } from './durable.js'
import { fanOut } from './fan-out.js'
import { garbage } from './garbage.js'
import { latency } from './latency.js'
import { lost } from './lost.js'
import { memory } from './memory.js'
import { spaces } from './spaces.js'

/** The relay beside other servers for Yjs that keep what they get, each alone on one core. */
export const relay: Readonly<Record<string, Benchmark>> = {
  'relay-fan-out': fanOut,
  'relay-spaces': spaces,
  'relay-latency': latency,
  'relay-durable': durable,
  'relay-memory': memory,
  'relay-cold': cold,
  'relay-lost': lost,
  'relay-garbage': garbage,
}
