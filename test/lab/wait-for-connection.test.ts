import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ServerFault } from '../../src/lab/ssh-server.ts';
import { hostsIn, stepNames } from '../helpers/cli.ts';
import { HostsBench } from '../helpers/hosts.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(1);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

/** The fault occurs when the wait starts. */
const play = (timeout: number, fault: ServerFault) =>
  bench.play(
    `
- name: Wait
  hosts: h1
  tasks:
    - { name: Before, ping: }
    - { name: Wait, wait_for_connection: { timeout: ${String(timeout)} } }
    - { name: After, ping: }
`,
    ['--connect-timeout', '1'],
    {
      onEvent: (event) => {
        if (event.type === 'step-start' && event.step.name === 'Wait')
          bench.lab.host('h1').server.setFault(fault);
      },
    },
  );

describe('wait_for_connection', () => {
  it('connects again until the host accepts', async () => {
    // One connection with its own retries makes at most six attempts.
    let refusals = 8;
    const { code, events, stdout } = await play(600, {
      get refuse() {
        return refusals-- > 0;
      },
    });
    expect(code, stdout).toBe(0);
    expect(refusals).toBeLessThan(0);
    expect(hostsIn(events, 'After', 'ok')).toEqual(['h1']);
  });

  it('ends with an unreachable host after its timeout', async () => {
    const { code, events } = await play(2, { refuse: true });
    expect(code).toBe(2);
    expect(hostsIn(events, 'Wait', 'unreachable')).toEqual(['h1']);
    expect(stepNames(events)).not.toContain('After');
  });
});
