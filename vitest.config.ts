import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import LongestFirst from './test/helpers/longest-first.ts';

/** Files by what they need; `npm test` runs the first project, `npm run test:all` all of them. */
function project(
  name: string,
  include: string,
  more: TestProjectInlineConfiguration['test'],
): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: [`${include}/**/*.test.ts`],
      pool: 'forks',
      // Megabytes. Simulated runs create much garbage: the sweep of the upgrade takes 6 % less CPU than with the default of 16.
      execArgv: ['--max-semi-space-size=64'],
      // A worker keeps the product's modules and a lab from file to file; see test/helpers/pool.ts.
      isolate: false,
      maxWorkers: 2,
      // Only a test that hangs reaches them: tests of 20 s took more than 60 s on a machine with a load of 20.
      testTimeout: 300_000,
      hookTimeout: 300_000,
      ...more,
    },
  };
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      // Needs Node and Linux.
      project('main', 'test', {
        exclude: ['test/openssh/**', 'test/all/**'],
        // Tests of the lab wait for a quarter of their time: a third worker on two cores uses that. A fourth one makes it
        // slower: each loads all modules.
        maxWorkers: 3,
        sequence: { groupOrder: 0 },
      }),
      // Needs OpenSSH and login shells.
      project('openssh', 'test/openssh', { sequence: { groupOrder: 1 } }),
      // Long: every sweep, real hosts, fifty hosts, much random input.
      project('long', 'test/all', {
        sequence: { groupOrder: 2 },
        testTimeout: 3_600_000,
        hookTimeout: 900_000,
      }),
    ],
  },
});
