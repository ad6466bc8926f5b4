// Hosts with systemd, OpenSSH, Docker and etcd of their own on this machine. One file, so that only one such lab runs at a time.
import { describe } from 'vitest';
import { realLabObstacle } from '../../src/lab/real/real-lab.ts';
import { modulesOnRealHosts } from './real/modules.ts';
import { upgradeOnRealHosts } from './real/upgrade.ts';

const obstacle = await realLabObstacle();
const describeReal = (title: string, tests: () => void): void => {
  if (obstacle === undefined) describe(title, tests);
  else describe.skip(`${title} [needs the real lab, but ${obstacle}]`, tests);
};

describeReal('the upgrade on real hosts', upgradeOnRealHosts);
describeReal('modules on real hosts', modulesOnRealHosts);
