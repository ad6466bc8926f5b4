import { afterAll, beforeAll, expect, it } from 'vitest';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(1);
});
afterAll(() => bench.stop());

const play = (timeout: number, back: boolean) => {
  const { server } = bench.lab.host('h1');
  return bench.play(
    `
- name: Wait
  hosts: h1
  tasks:
    - { name: Before, ping: }
    - { name: Back, wait_for_connection: { timeout: ${String(timeout)} } }
    - { name: After, ping: }
`,
    ['--connect-timeout', '1'],
    {
      onEvent: (event) => {
        if (event.type !== 'step-start' || event.step.name !== 'Back') return;
        server.setFault({ refuse: true });
        if (back)
          setTimeout(() => {
            server.setFault({});
          }, 2500);
      },
    },
  );
};

it('waits until a host is back, and not longer than it is told', async () => {
  const { code, stdout } = await play(60, true);
  expect(code, stdout).toBe(0);
  const gone = await play(2, false);
  expect(gone.code).toBe(2);
  bench.lab.host('h1').server.setFault({});
});
