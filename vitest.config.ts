// Which tests run where. `node`: packages and cross-package suites; `e2e`: real processes and browsers, one file at a time.
import { defineConfig } from 'vitest/config';

const conditions = ['@kerf/source', 'module', 'node', 'development|production'];
const resolve = { conditions };
const ssr = { resolve: { conditions } };

export default defineConfig({
  test: {
    reporters: ['./test/support/closing-line-reporter.ts'],
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'node',
          include: ['packages/*/test/**/*.test.ts', 'test/{boundaries,conformance,fuzz,real-models}/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: 'forks',
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          pool: 'forks',
          fileParallelism: false,
        },
      },
    ],
  },
});
