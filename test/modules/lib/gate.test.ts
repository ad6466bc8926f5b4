import { execFileSync } from 'node:child_process';
import { describe, it } from 'vitest';
import { dns_check } from '../../../src/modules/dns_check.ts';
import { etcd_health } from '../../../src/modules/etcd_health.ts';
import { http_check } from '../../../src/modules/http_check.ts';
import { k8s_wait } from '../../../src/modules/k8s_wait.ts';
import { port_check } from '../../../src/modules/port_check.ts';
import { fakeHost } from '../../helpers/module-tester.ts';
import { itWith } from '../../helpers/programs.ts';

describe('scripts of waits', () => {
  /** The shell text of every module that waits for a condition on the host. */
  const scripts = async () => {
    const plans = await Promise.all([
      etcd_health.plan({ spare: 1 }, fakeHost({})),
      http_check.plan({ url: 'https://a/', contains: "it's" }, fakeHost({})),
      port_check.plan({ ports: [1], host: 'a', state: 'closed' }, fakeHost({})),
      dns_check.plan({ name: 'a.b', server: '10.96.0.10' }, fakeHost({})),
      port_check.plan({ targets: ['10.0.0.1:1', '[::1]:2'] }, fakeHost({})),
      port_check.plan({ host: 'a', port: 1, state: 'reachable' }, fakeHost({})),
      k8s_wait.plan({ kind: 'node' }, fakeHost({})),
      k8s_wait.plan({ kind: 'node', kubelet_version: 'v1', unit: 'a' }, fakeHost({})),
    ]);
    return plans.map(({ actions: [action] }) => {
      if (action?.kind !== 'exec') throw new Error('no command');
      return action.argv[2] ?? '';
    });
  };

  it('are valid in dash and in the POSIX mode of bash', async () => {
    for (const script of await scripts()) {
      execFileSync('dash', ['-n', '-c', script]);
      execFileSync('bash', ['--posix', '-n', '-c', script]);
    }
  });

  itWith('busybox')('have scripts that the shell of busybox parses', async () => {
    for (const script of await scripts()) execFileSync('busybox', ['sh', '-n', '-c', script]);
  });
});
