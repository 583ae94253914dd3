import { Command } from 'commander'
import { startAnew } from '../maintenance/index.js'
import { action, examples } from './command.js'
import { print, printJson } from './output.js'

/** `tidemark new-epoch` */
export function newEpochCommand(): Command {
  return new Command('new-epoch')
    .summary('Make the data another life of itself.')
    .description(
      'Make the data another life of itself, with the relay stopped: for a copy of a whole disk or machine whose original ' +
        'goes on. A relay notices by itself when its files were copied.',
    )
    .option('--data <directory>', "the relay's data directory", './data')
    .option('--json', 'print the epoch as JSON')
    .addHelpText('after', examples('tidemark new-epoch --data ./data'))
    .action(
      action(async ({ data, json }: { readonly data: string; readonly json?: boolean }) => {
        const epoch = await startAnew(data)
        if (json === true) printJson({ epoch })
        else print(`The new epoch is ${epoch}\n`)
      }),
    )
}
