import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { chromiumFlags, lookForChromium } from './test/support/find-chromium.js'

// Tests run on the sources of all packages, so nothing has to be built first (but for the end-to-end tests).
const conditions = ['@tidemark/source', 'module', 'development|production']
const shared = {
  resolve: {
    conditions: [...conditions, 'browser'],
    // A second copy of Yjs breaks `instanceof` and loses updates.
    dedupe: ['yjs', 'lib0', 'react', 'react-dom'],
  },
  ssr: { resolve: { conditions: [...conditions, 'node'] } },
}
const chromium = lookForChromium()

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'node',
          environment: 'node',
          include: ['packages/{core,server}/src/**/*.test.ts'],
          exclude: ['**/*.browser.test.ts'],
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'react',
          environment: 'jsdom',
          include: ['packages/react/src/**/*.test.{ts,tsx}'],
          exclude: ['**/*.browser.test.{ts,tsx}'],
          testTimeout: 20_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'examples',
          environment: 'node',
          include: ['examples/*/src/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'system',
          environment: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', 'test/{end-to-end,chaos,durability}/**'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        ...shared,
        test: {
          name: 'browser',
          include: ['packages/**/*.browser.test.{ts,tsx}'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 1 },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            instances: [{ browser: 'chromium' }],
            provider: playwright({
              launchOptions: {
                args: [...chromiumFlags],
                ...(chromium === undefined ? {} : { executablePath: chromium }),
              },
            }),
          },
        },
      },
      {
        ...shared,
        test: {
          // These start relays and browsers of their own: one file at a time, after everything else.
          name: 'end-to-end',
          environment: 'node',
          include: ['test/{end-to-end,chaos,durability}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
