import { defineConfig } from 'vitest/config';

// Tests keep nothing in the user's cache folder; those of what is kept name a folder and switch it on.
process.env.EMB_TOKENIZER_CACHE = '0';

export default defineConfig({
  test: {
    // Without it two cores run one file at a time.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: ['test/cli/**', 'test/slow/**', 'test/world/**'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'cli',
          include: ['test/cli/**/*.test.ts'],
          globalSetup: ['test/support/build.ts'],
          testTimeout: 60_000,
        },
      },
      { test: { name: 'slow', include: ['test/slow/**/*.test.ts'], testTimeout: 600_000 } },
      { test: { name: 'world', include: ['test/world/**/*.test.ts'], testTimeout: 300_000 } },
    ],
  },
});
