/**
 * The commands of `tidemark`, one a file: options, what is printed, exit codes. What they do is elsewhere: `http/` and
 * `maintenance/`. May import everything of this package.
 */
export { backupCommand } from './backup.js'
export { EXIT_CODES_HELP } from './command.js'
export { compactCommand } from './compact.js'
export { exportCommand } from './export.js'
export { importCommand } from './import.js'
export { inspectCommand } from './inspect.js'
export { newEpochCommand } from './new-epoch.js'
export { purgeCommand } from './purge.js'
export { restoreCommand } from './restore.js'
export { serveCommand } from './serve.js'
export { tokenCommand } from './token.js'
