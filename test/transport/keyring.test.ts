import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Keyring, loadSsh2 } from '../../src/transport/keyring.ts';
import { SshConfig } from '../../src/transport/ssh-config.ts';
import { TargetResolver } from '../../src/transport/target.ts';

const dir = mkdtempSync(join(tmpdir(), 'runner-keyring-'));
afterAll(() => {
  rmSync(dir, { recursive: true });
});

it('reports a public key file whose private key is not in the agent', async () => {
  const { utils } = await loadSsh2();
  const keyPath = join(dir, 'id.pub');
  writeFileSync(keyPath, utils.generateKeyPairSync('ed25519').public);
  const targets = new TargetResolver({
    ...{ config: new SshConfig('none'), knownHostsFiles: [], user: 'me', keyFiles: [] },
    ...{ agent: undefined, connectTimeoutMs: 1000 },
  });
  const target = await targets.resolve({
    ...{ name: 'h', transport: 'ssh', address: '192.0.2.1', port: 22, user: 'me', keyPath },
  });
  const { usable, unusable } = await new Keyring(() => Promise.resolve(undefined)).credentials(
    target,
  );
  expect(usable).toEqual([]);
  expect(unusable).toEqual([
    `${keyPath} (a public key, and the agent does not hold its private key)`,
  ]);
});
