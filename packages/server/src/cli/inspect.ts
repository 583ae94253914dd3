import { Command } from 'commander'
import { formatBytes, type Inspector, inspect } from '../maintenance/index.js'
import { action, EXIT, examples } from './command.js'
import { endWithReader, print, printJson, printMuch, table } from './output.js'
import { countProgress, wantsProgress } from './progress.js'

interface InspectOptions {
  readonly data: string
  readonly verify?: boolean
  readonly json?: boolean
}

/** `tidemark inspect` */
export function inspectCommand(): Command {
  return new Command('inspect')
    .summary('Look at the data.')
    .description('Look at the data without changing anything, also while the relay runs.')
    .argument('[space]', 'its entities')
    .argument('[entity]', 'all about one of them, like cards/c1')
    .option('--data <directory>', "the relay's data directory", './data')
    .option('--verify', 'read everything, compare every checksum, and list what is damaged')
    .option('--json', 'print JSON; of a space one line for each entity')
    .addHelpText(
      'after',
      examples(
        'tidemark inspect --data ./data',
        'tidemark inspect team-42 --data ./data',
        'tidemark inspect team-42 cards/c1 --data ./data',
        'tidemark inspect --verify --data ./data',
      ),
    )
    .action(action(run))
}

async function run(
  space: string | undefined,
  entity: string | undefined,
  options: InspectOptions,
): Promise<void> {
  const json = options.json === true
  endWithReader()
  const inspector = inspect(options.data)
  try {
    if (options.verify === true) showVerification(inspector, json)
    else if (space === undefined) showOverview(inspector, json)
    else if (entity === undefined) await showSpace(inspector, space, json)
    else showEntity(inspector, space, entity, json)
  } finally {
    inspector.close()
  }
}

function showOverview(inspector: Inspector, json: boolean): void {
  const overview = inspector.overview()
  if (json) {
    printJson(overview)
    return
  }
  const { epoch, schema, bytes, entities, operations, spaces } = overview
  print(
    `epoch ${epoch}, schema ${schema}, ${formatBytes(bytes)}, ${entities} entities, ${operations} operations\n\n`,
  )
  print(
    table([
      ['space', 'head', 'horizon', 'entities', 'bytes'],
      ...spaces.map((space) => [
        space.space,
        space.head,
        space.horizon,
        space.entities,
        formatBytes(space.bytes),
      ]),
    ]),
  )
}

async function showSpace(inspector: Inspector, space: string, json: boolean): Promise<void> {
  for (const summary of inspector.entities(space)) {
    if (summary.problem !== undefined) process.exitCode = EXIT.findings
    if (json) await printMuch(`${JSON.stringify(summary)}\n`)
    else if (summary.problem !== undefined)
      await printMuch(`${summary.entity}  DAMAGED: ${summary.problem}\n`)
    else {
      const { entity, sequence, confirmedSequence, snapshotBytes, logBytes, logLength, clients } =
        summary
      await printMuch(
        `${entity}  version ${sequence}, confirmed by ${confirmedSequence}, ` +
          `${formatBytes(snapshotBytes + logBytes)}, ${logLength} updates, ${clients} client ids\n`,
      )
    }
  }
}

function showEntity(inspector: Inspector, space: string, name: string, json: boolean): void {
  const details = inspector.entity(space, name)
  if (details.problem !== undefined) process.exitCode = EXIT.findings
  if (json || details.problem !== undefined) {
    printJson(details)
    return
  }
  const { plain, owners, ...summary } = details
  for (const [key, value] of Object.entries(summary)) print(`${key}: ${value}\n`)
  print(`deletedAt: ${plain.deletedAt ?? 'not deleted'}\n\nvalues\n`)
  printJson(plain.values)
  print('\nconflicts\n')
  printJson(plain.conflicts)
  print('\nclient ids\n')
  print(
    table([
      ['client', 'clock', 'user', 'replica'],
      ...owners.map(({ client, clock, user, replica }) => [client, clock, user, replica]),
    ]),
  )
}

function showVerification(inspector: Inspector, json: boolean): void {
  const verification = inspector.verify(countProgress('verifying', wantsProgress(false)))
  const { entities, operations, damage } = verification
  if (damage.length > 0) process.exitCode = EXIT.findings
  if (json) {
    printJson(verification)
    return
  }
  for (const { what, problem } of damage) print(`DAMAGED ${what}: ${problem}\n`)
  print(`${entities} entities and ${operations} operations were read; damaged: ${damage.length}\n`)
}
