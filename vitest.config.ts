import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/openssh/**', 'test/real/**'],
          isolate: false,
          testTimeout: 30_000,
        },
      },
      {
        // Each worker keeps a lab and the modules of the product from file to file; see test/helpers/pool.ts.
        test: {
          name: 'e2e',
          include: ['test/{e2e,openssh}/**/*.test.ts'],
          pool: 'forks',
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Real hosts on this machine: one lab, alone.
        test: {
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          pool: 'forks',
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          testTimeout: 240_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
});
