// Tests on real hosts with systemd, OpenSSH, Docker and etcd. One file, so that only one such lab runs at a time.
import { describe } from 'vitest';
import { PROGRAM_VARIABLES, realPrograms } from '../../src/lab/real/programs.ts';
import { realLabObstacle } from '../../src/lab/real/real-lab.ts';
import { realK0sAnswers, realLabStandInAnswers } from '../conformance/real.ts';
import { modulesOnRealHosts } from './real/modules.ts';
import { upgradeWithRealK0s } from './real/proof.ts';
import { upgradeOnRealHosts } from './real/upgrade.ts';

const obstacle = await realLabObstacle();
const describeReal = (title: string, tests: () => void): void => {
  if (obstacle === undefined) describe(title, tests);
  else describe.skip(`${title} [needs the real lab, but ${obstacle}]`, tests);
};

/** Real programs, as users download them. */
const programs = await realPrograms(
  Object.fromEntries(
    Object.entries(PROGRAM_VARIABLES).map(([program, variable]) => [
      program,
      process.env[variable],
    ]),
  ),
);
const { k0s } = programs;
if (k0s) {
  describeReal(`the real k0s ${k0s.version}`, () => {
    realK0sAnswers(k0s);
  });
  describeReal(`the upgrade with the real k0s ${k0s.version}`, () => {
    upgradeWithRealK0s(programs);
  });
}
describeReal('the k0s stand-in of the real lab behaves like k0s', realLabStandInAnswers);
describeReal('the upgrade on real hosts', () => {
  upgradeOnRealHosts(programs);
});
describeReal('modules on real hosts', modulesOnRealHosts);
