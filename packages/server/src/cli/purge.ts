import { Command } from 'commander'
import { purgeEntity, purgeUser } from '../maintenance/index.js'
import { action, examples } from './command.js'
import { print, printJson } from './output.js'

interface PurgeOptions {
  readonly data: string
  readonly space?: string
  readonly entity?: string
  readonly user?: string
  readonly yes?: boolean
  readonly json?: boolean
}

/** `tidemark purge` */
export function purgeCommand(): Command {
  const command = new Command('purge')
    .summary('Erase an entity, or what a user wrote, for good.')
    .description(
      'Erase an entity, or everything that a user wrote, for good, with the relay stopped. Without --yes it only says what ' +
        'would be erased. Backups keep what they have.',
    )
    .option('--space <name>', 'the space of the entity')
    .option('--entity <name>', 'one entity, like cards/c1')
    .option('--user <id>', 'what this user wrote, in all spaces')
    .option('--data <directory>', "the relay's data directory", './data')
    .option('--yes', 'really erase it')
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      examples(
        'tidemark purge --data ./data --space team-42 --entity cards/c1 --yes',
        'tidemark purge --data ./data --user ada',
        'tidemark purge --data ./data --user ada --yes',
      ),
    )
  return command.action(
    action(async (options: PurgeOptions) => {
      const { space, entity, user } = options
      if (user !== undefined && space === undefined && entity === undefined)
        return purgeUserWrites(options, user)
      if (user === undefined && space !== undefined && entity !== undefined)
        return purgeOne(options, space, entity)
      return command.error('error: name --space and --entity, or --user')
    }),
  )
}

async function purgeOne(
  { data, yes, json }: PurgeOptions,
  space: string,
  entity: string,
): Promise<void> {
  const erase = yes === true
  await purgeEntity({ data, space, entity, erase })
  if (json === true) printJson({ erased: erase, entity: `${space}/${entity}` })
  else if (erase) print(`Erased ${space}/${entity}\n`)
  else print(`Would erase ${space}/${entity}. Nothing was erased; add --yes to erase it.\n`)
}

async function purgeUserWrites({ data, yes, json }: PurgeOptions, user: string): Promise<void> {
  const erase = yes === true
  const result = await purgeUser({ data, user, erase, now: Date.now })
  if (json === true) {
    printJson({ erased: erase, user, ...result })
    return
  }
  const { removed, rewritten, operations } = result
  for (const entity of removed) print(`${erase ? 'erased' : 'would erase'} ${entity}\n`)
  for (const entity of rewritten) print(`${erase ? 'erased from' : 'would erase from'} ${entity}\n`)
  print(`${operations} operations ${erase ? 'no longer bear' : 'bear'} the name ${user}\n`)
  if (!erase) print('Nothing was erased; add --yes to erase it.\n')
}
