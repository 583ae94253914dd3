import { Command } from 'commander'
import { backUp, formatBytes } from '../maintenance/index.js'
import { action, examples, toCount } from './command.js'
import { print, printJson } from './output.js'
import { countProgress, wantsProgress, watchCopy } from './progress.js'

interface BackupOptions {
  readonly data: string
  readonly to: string
  readonly keep?: number
  readonly progress?: boolean
  readonly json?: boolean
}

/** `tidemark backup` */
export function backupCommand(): Command {
  return new Command('backup')
    .summary('Copy the data, also while the relay runs.')
    .description(
      'Copy the data, also while the relay runs. The copy is verified, and gets its name only then; it holds everything ' +
        'that was acknowledged before it was begun.',
    )
    .requiredOption('--to <directory>', 'the directory that holds backups')
    .option('--data <directory>', "the relay's data directory", './data')
    .option(
      '--keep <number>',
      'remove all but so many backups there, once this one is verified',
      toCount,
    )
    .option('--progress', 'say how far it is, also when nobody looks')
    .option('--json', 'print the manifest')
    .addHelpText(
      'after',
      examples(
        'tidemark backup --data ./data --to ./backups',
        'tidemark backup --data ./data --to ./backups --keep 14',
      ),
    )
    .action(action(backup))
}

function backup(options: BackupOptions): void {
  const isWatched = wantsProgress(options.progress)
  const { path, manifest, removed } = backUp({
    data: options.data,
    to: options.to,
    keep: options.keep,
    now: Date.now,
    ...(isWatched ? { onCopy: watchCopy } : {}),
    onVerify: countProgress('verifying', isWatched),
  })
  if (options.json === true) {
    printJson({ path, ...manifest, removed })
    return
  }
  print(
    `${path}\n${manifest.entities} entities, ${manifest.operations} operations, ` +
      `${formatBytes(manifest.database.bytes)}, epoch ${manifest.epoch}, taken at ${manifest.takenAt}\n`,
  )
  for (const old of removed) print(`removed ${old}\n`)
}
