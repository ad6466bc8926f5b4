import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, describe, expect, it } from 'vitest';
import { fingerprint, KnownHosts } from '../../src/transport/known-hosts.ts';
import { itWith } from '../helpers/programs.ts';

describe('known hosts', () => {
  const dir = mkdtempSync(join(tmpdir(), 'runner-known-'));
  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  const make = () =>
    ssh2.utils.generateKeyPairSync('ed25519').public.split(' ').slice(0, 2).join(' ');
  const blob = (line: string) => Buffer.from(line.split(' ')[1] ?? '', 'base64');
  const [one, two] = [make(), make()];
  const file = join(dir, 'known_hosts');

  itWith('ssh')('match plain, port and hashed names like ssh-keygen', () => {
    writeFileSync(
      file,
      `a.example ${one}\n[b.example]:2222 ${two}\n# remark\n*.wild.example,!no.wild.example ${one}\n`,
    );
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const known = new KnownHosts([file]);
    expect(known.check('a.example', blob(one))).toMatchObject({ verdict: 'trusted' });
    expect(known.check('[a.example]:2222', blob(one))).toEqual({ verdict: 'unknown' });
    expect(known.check('[b.example]:2222', blob(two))).toMatchObject({ verdict: 'trusted' });
    expect(known.check('x.wild.example', blob(one))).toMatchObject({ verdict: 'trusted' });
    expect(known.check('no.wild.example', blob(one))).toEqual({ verdict: 'unknown' });
  });

  it('distinguish a changed key from an unknown host, with file and line', () => {
    writeFileSync(file, `\na.example ${one}\n@revoked r.example ${two}\n`);
    const known = new KnownHosts([file]);
    expect(known.check('a.example', blob(two))).toEqual({
      verdict: 'changed',
      file,
      line: 2,
      stored: fingerprint(blob(one)),
    });
    expect(known.check('r.example', blob(two))).toEqual({ verdict: 'revoked', file, line: 3 });
  });
});
