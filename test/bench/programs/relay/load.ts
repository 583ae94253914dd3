// Puts load on a server: `load.ts <program> <argument as JSON>`. Writes what it has found out as JSON.
import { attack } from './attack.js'
import {
  coldDocument,
  coldManyDocuments,
  coldStore,
  coldTidemark,
  fillManyDocuments,
  fillOneRoom,
  titles,
} from './cold.js'
import { answers } from './durable.js'
import { fanOut } from './fan-out.js'
import { hold } from './hold.js'
import { writeUntilKilled } from './lost.js'
import { rooms, steady } from './steady.js'

const programs = {
  answers,
  attack,
  coldDocument,
  coldManyDocuments,
  coldStore,
  coldTidemark,
  fanOut,
  fillManyDocuments,
  fillOneRoom,
  hold,
  rooms,
  steady,
  titles,
  writeUntilKilled,
} as const

export type LoadPrograms = typeof programs

const [name = '', argument = 'null'] = process.argv.slice(2)
const program = programs[name as keyof LoadPrograms] as (argument: unknown) => Promise<unknown>
const result = (await program(JSON.parse(argument))) ?? null
// Connections that are still open would keep the process.
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit())
