import { Command } from 'commander'
import { restore } from '../maintenance/index.js'
import { action, examples } from './command.js'
import { print, printJson } from './output.js'
import { countProgress, wantsProgress } from './progress.js'

interface RestoreOptions {
  readonly from: string
  readonly data: string
  readonly force?: boolean
  readonly json?: boolean
}

/** `tidemark restore` */
export function restoreCommand(): Command {
  return new Command('restore')
    .summary('Put a backup in place.')
    .description(
      'Put a backup in place, with the relay stopped. It is verified first. The data gets a new epoch: clients notice that ' +
        'it is another life of the database.',
    )
    .requiredOption('--from <backup>', 'the directory of one backup')
    .option('--data <directory>', "the relay's data directory", './data')
    .option(
      '--force',
      'put a database that is there aside; it is kept in a folder of the data directory',
    )
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      examples(
        'tidemark restore --from ./backups/tidemark-2026-11-21T09-05-26-000Z --data ./data --force',
      ),
    )
    .action(action(run))
}

function run({ from, data, force, json }: RestoreOptions): void {
  const onVerify = countProgress('verifying', wantsProgress(false))
  const { manifest, epoch, movedTo } = restore({ from, data, force, now: Date.now, onVerify })
  if (json === true) {
    printJson({ epoch, movedTo: movedTo ?? null, backup: manifest })
    return
  }
  print(
    `Restored ${manifest.entities} entities, as they were at ${manifest.takenAt}, with the new epoch ${epoch}.\n`,
  )
  if (movedTo !== undefined) print(`What was there before is in ${movedTo}\n`)
}
