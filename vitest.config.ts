import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
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
