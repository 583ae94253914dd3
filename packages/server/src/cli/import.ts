import { Command } from 'commander'
import { importSpace } from '../maintenance/index.js'
import { action, EXIT, examples } from './command.js'
import { print, printJson } from './output.js'
import { countProgress, wantsProgress } from './progress.js'

interface ImportOptions {
  readonly data: string
  readonly space?: string
  readonly json?: boolean
}

/** `tidemark import` */
export function importCommand(): Command {
  return new Command('import')
    .summary('Add the entities of an export to a space.')
    .description(
      'Add the entities of an export (--format update) to a space, with the relay stopped. The whole file is checked first. ' +
        'Entities that are there already are left as they are; run it again after an interruption.',
    )
    .argument('<file>', 'what `tidemark export --format update` wrote')
    .option('--space <name>', 'where to; default: the space that it was exported from')
    .option('--data <directory>', "the relay's data directory", './data')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      examples('tidemark import team-42.tidemark --data ./data --space team-43'),
    )
    .action(action(run))
}

async function run(file: string, { data, space, json }: ImportOptions): Promise<void> {
  const onProgress = countProgress('importing', wantsProgress(false))
  const result = await importSpace({ data, file, space, now: Date.now, onProgress })
  if (result.keptCount > 0) process.exitCode = EXIT.findings
  if (json === true) {
    printJson(result)
    return
  }
  print(
    `Space ${result.space}: ${result.imported} entities were imported, ${result.unchanged} were there already.\n`,
  )
  if (result.keptCount === 0) return
  print(`${result.keptCount} are there with other content, and were left as they are:\n`)
  for (const entity of result.kept) print(`  ${entity}\n`)
  if (result.kept.length < result.keptCount) print('  …\n')
}
