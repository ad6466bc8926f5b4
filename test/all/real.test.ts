// Hosts with systemd, OpenSSH, Docker and etcd of their own on this machine. One file, so that only one such lab runs at a time.
import { describe } from 'vitest';
import { realK0s, realLabObstacle } from '../../src/lab/real/real-lab.ts';
import { realK0sAnswers } from '../conformance/real.ts';
import { modulesOnRealHosts } from './real/modules.ts';
import { upgradeWithRealK0s } from './real/proof.ts';
import { upgradeOnRealHosts } from './real/upgrade.ts';

const obstacle = await realLabObstacle();
const describeReal = (title: string, tests: () => void): void => {
  if (obstacle === undefined) describe(title, tests);
  else describe.skip(`${title} [needs the real lab, but ${obstacle}]`, tests);
};

/** Set to a k0s binary as users download it. */
const file = process.env['RUNNER_K0S'] ?? '';
if (file !== '') {
  const k0s = await realK0s(file);
  describeReal(`the real k0s ${k0s.version}`, () => {
    realK0sAnswers(k0s);
  });
  describeReal(`the upgrade with the real k0s ${k0s.version}`, () => {
    upgradeWithRealK0s(k0s);
  });
}
describeReal('the upgrade on real hosts', upgradeOnRealHosts);
describeReal('modules on real hosts', modulesOnRealHosts);
