import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { type Export, type ExportFormat, exportSpace } from '../maintenance/index.js'
import { syncDirectory } from '../storage/index.js'
import { action, EXIT, examples } from './command.js'
import { endWithReader, printError, printMuch } from './output.js'

interface ExportOptions {
  readonly data: string
  readonly space: string
  readonly format: ExportFormat
  readonly out?: string
}

/** `tidemark export` */
export function exportCommand(): Command {
  return new Command('export')
    .summary('Write every entity of a space.')
    .description('Write every entity of a space, also while the relay runs.')
    .requiredOption('--space <name>', 'which space')
    .option('--data <directory>', "the relay's data directory", './data')
    .addOption(
      new Option(
        '--format <format>',
        'json: one document. jsonl: an entity a line. update: with all there is, for `tidemark import`',
      )
        .choices(['json', 'jsonl', 'update'])
        .default('jsonl'),
    )
    .option('--out <file>', 'where to; default: standard output')
    .addHelpText(
      'after',
      examples(
        'tidemark export --data ./data --space team-42 > team-42.jsonl',
        'tidemark export --data ./data --space team-42 --format update --out team-42.tidemark',
      ),
    )
    .action(action(run))
}

async function run(options: ExportOptions): Promise<void> {
  const { out } = options
  const { entities, damaged } =
    out === undefined ? await toStandardOutput(options) : await toFile(options, resolve(out))
  for (const { what, problem } of damaged) printError(`left out ${what}: ${problem}\n`)
  printError(`${entities} entities\n`)
  if (damaged.length > 0) process.exitCode = EXIT.findings
}

function toStandardOutput({ data, space, format }: ExportOptions): Promise<Export> {
  endWithReader()
  return exportSpace({ data, space, format, now: Date.now, write: printMuch })
}

/** Under its name there is all of it, or nothing. */
async function toFile({ data, space, format }: ExportOptions, out: string): Promise<Export> {
  const partial = `${out}.partial`
  const descriptor = openSync(partial, 'w')
  try {
    const result = await exportSpace({
      data,
      space,
      format,
      now: Date.now,
      write: async (text) => writeAll(descriptor, Buffer.from(text)),
    })
    fsyncSync(descriptor)
    renameSync(partial, out)
    syncDirectory(dirname(out))
    return result
  } catch (error) {
    rmSync(partial, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written)
}
