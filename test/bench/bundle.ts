import { build } from 'vite'
import { inRepository } from '../support/repository.js'

const ENTRY = 'virtual:entry'

/**
 * Some code with all that it imports, as an app would ship it to browsers: the packages as they are built, in production
 * mode, minified.
 */
export async function bundle(code: string, external: readonly string[] = []): Promise<string> {
  const result = await build({
    configFile: false,
    root: inRepository('test'),
    mode: 'production',
    logLevel: 'error',
    // A second copy of Yjs breaks `instanceof`.
    resolve: { dedupe: ['yjs', 'lib0'] },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === ENTRY ? `\0${ENTRY}` : undefined),
        load: (id) => (id === `\0${ENTRY}` ? code : undefined),
      },
    ],
    build: {
      write: false,
      modulePreload: false,
      rolldownOptions: {
        input: ENTRY,
        external: [...external],
        preserveEntrySignatures: 'strict',
        output: { codeSplitting: false },
      },
    },
  })
  const [output] = [result].flat()
  const [chunk] = output !== undefined && 'output' in output ? output.output : []
  if (chunk === undefined) throw new Error('The bundler made nothing.')
  return chunk.code
}
