import { describe, expect, it } from 'vitest';
import { effectOf } from '../../../src/core/module.ts';
import { mke3_etcdctl } from '../../../src/mke/modules/mke3_etcdctl.ts';
import { testModule } from '../../helpers/module-tester.ts';

const call =
  'exec docker exec -e ETCDCTL_API=3 ucp-kv etcdctl --endpoints https://127.0.0.1:2379' +
  ' --cacert /etc/docker/ssl/ca.pem --cert /etc/docker/ssl/cert.pem --key /etc/docker/ssl/key.pem';

testModule(mke3_etcdctl, {
  settled: [{ title: 'a read-only command', args: { cmd: 'endpoint health', read_only: true } }],
  changes: [
    {
      title: 'words separated by any number of spaces',
      args: { cmd: ' snapshot save  /data/a.db ' },
      actions: [`${call} snapshot save /data/a.db`],
    },
  ],
  refused: [
    { title: 'a command with quotes', args: { cmd: 'get "a b"' }, code: 'SCHEMA' },
    { title: 'an empty command', args: { cmd: '  ' }, code: 'SCHEMA' },
  ],
});

describe('mke3_etcdctl', () => {
  it('returns JSON output as "json"', () => {
    const conclude = (stdout: string) =>
      mke3_etcdctl.conclude?.([{ code: 0, stdout, stderr: '' }], { cmd: 'a' });
    expect(conclude('{"members":[{"name":"m1"}]}\n')).toEqual({
      result: { json: { members: [{ name: 'm1' }] } },
    });
    expect(conclude('is healthy\n')).toEqual({});
  });

  it('needs a declared undo unless it is read-only', () => {
    expect(effectOf(mke3_etcdctl, { cmd: 'a', read_only: true })).toBe('reads');
    expect(effectOf(mke3_etcdctl, { cmd: 'a' })).toBe('changes');
  });
});
