import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'fast', include: ['test/**/*.test.ts'], exclude: ['test/slow/**', 'test/world/**'], testTimeout: 30_000 } },
      { test: { name: 'slow', include: ['test/slow/**/*.test.ts'], testTimeout: 600_000, fileParallelism: true } },
      { test: { name: 'world', include: ['test/world/**/*.test.ts'], testTimeout: 300_000 } },
    ],
  },
});
