import { defineConfig } from 'vitest/config'

// The tests that `pnpm mutants` runs against every mutant: those of the node project that the mutated folders stand on.
export default defineConfig({
  resolve: { dedupe: ['yjs', 'lib0'] },
  ssr: {
    resolve: { conditions: ['@tidemark/source', 'module', 'development|production', 'node'] },
  },
  test: {
    include: ['packages/core/src/{entity,replica,operations,sync}/**/*.test.ts'],
    exclude: ['**/*.browser.test.ts'],
    setupFiles: ['vitest.mutants.setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
})
