#!/usr/bin/env node
import { Command } from 'commander'
import {
  backupCommand,
  compactCommand,
  EXIT_CODES_HELP,
  exportCommand,
  importCommand,
  inspectCommand,
  newEpochCommand,
  purgeCommand,
  restoreCommand,
  serveCommand,
  tokenCommand,
} from './cli/index.js'
import { RELAY_VERSION } from './version.js'

const program = new Command('tidemark')
  .description('The relay of Tidemark, a local-first store.')
  .version(RELAY_VERSION)
  .addHelpText('after', EXIT_CODES_HELP)

for (const command of [
  serveCommand(),
  backupCommand(),
  restoreCommand(),
  newEpochCommand(),
  exportCommand(),
  importCommand(),
  inspectCommand(),
  compactCommand(),
  purgeCommand(),
  tokenCommand(),
]) {
  program.addCommand(command)
}

await program.parseAsync()
