import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/openssh/**'],
          isolate: false,
          testTimeout: 30_000,
        },
      },
      {
        // Each file brings labs of its own up; two files at a time fill two cores.
        test: {
          name: 'e2e',
          include: ['test/{e2e,openssh}/**/*.test.ts'],
          pool: 'forks',
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
