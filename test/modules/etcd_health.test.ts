import { describe, expect, it } from 'vitest';
import { etcd_health } from '../../src/modules/etcd_health.ts';
import { look } from '../helpers/cluster-facts.ts';
import { testModule } from '../helpers/module-tester.ts';

testModule(etcd_health, {
  settled: [
    { title: 'the check changes nothing', args: { endpoints: ['https://a:2379'], cacert: '/ca' } },
  ],
  refused: [
    {
      title: 'a certificate that is not an absolute path',
      args: { cert: 'ca.pem' },
      code: 'SCHEMA',
    },
  ],
});

const member = (id: number, health: boolean) =>
  `{"endpoint":"https://10.0.0.${String(id)}:2379","health":${String(health)},"took":"9ms"}`;

const answer = (...healths: boolean[]) => {
  const list = healths.map((health, index) => member(index + 1, health)).join(',');
  const code = healths.every(Boolean) ? 0 : 1;
  return { etcdctl: `echo '{"level":"warn"}' >&2; echo '[${list}]'; return ${String(code)}` };
};

describe('etcd_health', () => {
  const status = async (args: object, programs: Record<string, string>) =>
    (await look(etcd_health, { timeout: 0, ...args }, programs)).status;

  it('requires every member to be healthy, or enough of them with "spare"', async () => {
    expect(await status({}, answer(true, true, true))).toBe(0);
    expect(await status({}, answer(true, false, true))).toBe(1);
    expect(await status({ members: 3 }, answer(true, true))).toBe(1);
    expect(await status({ spare: 1 }, answer(true, true, true))).toBe(0);
    expect(await status({ spare: 0 }, answer(true, false, true))).toBe(0);
    expect(await status({ spare: 1 }, answer(true, false, true))).toBe(1);
    expect(await status({ spare: 1 }, answer(true))).toBe(1);
    expect(await status({}, { etcdctl: 'echo "context deadline exceeded" >&2; return 1' })).toBe(1);
  });

  it('reports the members that are not healthy', async () => {
    const { stderr } = await look(etcd_health, { timeout: 0 }, answer(true, false, true));
    expect(stderr).toContain('"https://10.0.0.2:2379","health":false');
    expect(stderr).toContain('2 of 3 members are healthy');
    const said = { code: 0, stdout: `{"level":"warn"}\n[${member(1, true)}]`, stderr: '' };
    expect(etcd_health.conclude?.([said], {}).result?.['members']).toEqual([
      { endpoint: 'https://10.0.0.1:2379', health: true, took: '9ms' },
    ]);
  });
});
