import { SPACE_NAME, USER_ID } from '@tidemark/core/entity'
import type { Role } from '@tidemark/core/protocol'
import { Command, InvalidArgumentError } from 'commander'
import { signToken } from '../auth/index.js'
import { loadConfig } from '../config/index.js'
import { configInvalid } from '../errors.js'
import { action, examples } from './command.js'
import { print } from './output.js'

interface TokenOptions {
  readonly user: string
  readonly space: Readonly<Record<string, Role>>
  readonly expires: number
  readonly config?: string
}

/** `tidemark token`: for development and scripts, where nobody else signs tokens. */
export function tokenCommand(): Command {
  return new Command('token')
    .description('Sign a token with the secret of the configuration file.')
    .requiredOption('--user <id>', 'who it is for', toUser)
    .option(
      '--space <name=role>',
      'read, write or admin; * for every space; may be repeated',
      toSpaces,
      {},
    )
    .option('--expires <duration>', 'such as 90s, 15m, 1h or 30d', toSeconds, 3_600)
    .option('--config <file>', 'the configuration file')
    .addHelpText('after', examples('tidemark token --user ada --space team-42=write --expires 1h'))
    .action(action(async (options: TokenOptions) => print(`${await tokenFor(options)}\n`)))
}

/** @throws RelayStartError */
async function tokenFor({
  config: named,
  user,
  space: spaces,
  expires,
}: TokenOptions): Promise<string> {
  const { config, file } = await loadConfig(named, process.cwd())
  if (typeof config.auth === 'object')
    return signToken(config.auth.jwt, { user, spaces, expiresIn: expires })
  const where = file === undefined ? '' : ` in ${file}`
  throw configInvalid('auth.jwt.secret', `is missing${where}: there is nothing to sign with`)
}

function toUser(value: string): string {
  if (USER_ID.test(value)) return value
  throw new InvalidArgumentError(
    'A user id has up to 128 letters, digits or ". _ : @ + -" and starts with one of the former.',
  )
}

function toSpaces(
  value: string,
  before: Readonly<Record<string, Role>>,
): Readonly<Record<string, Role>> {
  const [, space = '', role = ''] = /^([^=]*)=(read|write|admin)$/.exec(value) ?? []
  if (role !== '' && (space === '*' || SPACE_NAME.test(space)))
    return { ...before, [space]: role as Role }
  throw new InvalidArgumentError('It looks like team-42=write, with one of read, write and admin.')
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

function toSeconds(value: string): number {
  const [, count = '', unit = ''] = /^([1-9]\d{0,5})([smhd])$/.exec(value) ?? []
  const seconds = Number(count) * (SECONDS[unit] ?? 0)
  if (seconds > 0) return seconds
  throw new InvalidArgumentError('It looks like 90s, 15m, 1h or 30d.')
}
