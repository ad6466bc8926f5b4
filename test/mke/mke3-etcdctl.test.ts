import { describe, expect, it } from 'vitest';
import { mke3_etcdctl } from '../../src/mke/modules/mke3_etcdctl.ts';
import { testModule } from '../helpers/module-tester.ts';

const call =
  'exec docker exec -e ETCDCTL_API=3 ucp-kv etcdctl --endpoints https://127.0.0.1:2379' +
  ' --cacert /etc/docker/ssl/ca.pem --cert /etc/docker/ssl/cert.pem --key /etc/docker/ssl/key.pem';

testModule(mke3_etcdctl, {
  settled: [{ title: 'it only looks', args: { cmd: 'endpoint health', read_only: true } }],
  changes: [
    {
      title: 'words separated by any number of spaces',
      args: { cmd: ' snapshot save  /data/a.db ' },
      actions: [`${call} snapshot save /data/a.db`],
    },
  ],
  refused: [
    { title: 'a command with quotes', args: { cmd: 'get "a b"' }, code: 'SCHEMA' },
    { title: 'a command without a word', args: { cmd: '  ' }, code: 'SCHEMA' },
  ],
});

describe('mke3_etcdctl', () => {
  it('returns an answer in JSON as "json", and no "json" for other text', () => {
    const finish = (stdout: string) => mke3_etcdctl.finish?.({ stdout }, { cmd: 'a' });
    expect(finish('{"members":[{"name":"m1"}]}')).toMatchObject({
      json: { members: [{ name: 'm1' }] },
    });
    expect(finish('is healthy')).toEqual({ stdout: 'is healthy' });
  });

  it('needs a declared undo unless it only looks', () => {
    expect(mke3_etcdctl.undoFor?.({ cmd: 'a', read_only: true })).toBe('none');
    expect(mke3_etcdctl.undoFor?.({ cmd: 'a' })).toBe('uncovered');
  });
});
