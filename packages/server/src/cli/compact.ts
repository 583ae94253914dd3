import { Command } from 'commander'
import { compactData, formatBytes } from '../maintenance/index.js'
import { action, EXIT, examples } from './command.js'
import { print, printJson } from './output.js'
import { countProgress, wantsProgress } from './progress.js'

/** `tidemark compact` */
export function compactCommand(): Command {
  return new Command('compact')
    .summary('Make the database as small as it can be.')
    .description(
      "Put every entity's updates together and give free what the file doesn't use, with the relay stopped. It needs free " +
        'space of twice the size of the database.',
    )
    .option('--data <directory>', "the relay's data directory", './data')
    .option('--json', 'print what was done as JSON')
    .addHelpText('after', examples('tidemark compact --data ./data'))
    .action(action(run))
}

async function run({
  data,
  json,
}: {
  readonly data: string
  readonly json?: boolean
}): Promise<void> {
  const onProgress = countProgress('compacting', wantsProgress(false))
  const result = await compactData({ data, onProgress })
  if (result.damaged.length > 0) process.exitCode = EXIT.findings
  if (json === true) {
    printJson(result)
    return
  }
  const { compacted, entities, bytesBefore, bytesAfter, damaged } = result
  print(
    `Compacted ${compacted} of ${entities} entities: ${formatBytes(bytesBefore)} before, ${formatBytes(bytesAfter)} now.\n`,
  )
  for (const entity of damaged) print(`DAMAGED, left as it is: ${entity}\n`)
}
