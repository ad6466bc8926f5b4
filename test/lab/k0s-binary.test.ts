import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HostsBench } from '../helpers/hosts.ts';
import { describeWith } from '../helpers/programs.ts';

let bench: HostsBench;
beforeAll(async () => {
  bench = await HostsBench.start(1);
});
afterAll(() => bench.stop());
beforeEach(() => bench.reset());

const binary = '#!/bin/sh\necho v1.29.15+k0s.0\n';
const sha256 = createHash('sha256').update(binary).digest('hex');
/** The first 20 bytes of an ELF executable for 64-bit ARM. */
const armHeader = Buffer.from('7f454c46020101000000000000000000' + '0200b700', 'hex');

const play = (inputs: string) =>
  bench.play(
    `- { name: Bring k0s, hosts: all, vars: { k0s_version: v1.29.15+k0s.0, k0s_binary: '' }, roles: [{ role: k0s_binary, inputs: { ${inputs} } }] }`,
  );
const messageOf = ({ events }: Awaited<ReturnType<typeof play>>) => {
  const last = events.at(-1);
  return last !== undefined && 'message' in last ? last.message : undefined;
};

const installed = () => bench.shell('h1', 'cat /usr/local/bin/k0s 2>/dev/null || true');

describeWith('curl')('the role k0s_binary with a download', () => {
  const url = 'file:///srv/release/k0s-v1.29.15+k0s.0-amd64';
  const publish = (text: string) =>
    bench.shell(
      'h1',
      `mkdir -p /srv/release && cd /srv/release && printf %s '${text}' >k0s-v1.29.15+k0s.0-amd64 && printf '%s *k0s-v1.29.15+k0s.0-amd64\\n' ${sha256} >sha256sums.txt`,
    );

  it('installs only a binary with the published checksum', async () => {
    await publish(`${binary}# changed on its way\n`);
    const wrong = await play(`download_url: '${url}'`);
    expect(wrong.code).toBe(3);
    expect(messageOf(wrong)).toContain('the downloaded file has another checksum');
    expect(await installed()).toBe('');
    bench.forgetRuns();
    await publish(binary);
    const right = await play(`download_url: '${url}'`);
    expect(right.code, right.stdout).toBe(0);
    expect(await installed()).toBe(binary);
  });

  it('uses the checksum of the operator instead, also for an existing binary', async () => {
    await publish(binary);
    await bench.shell(
      'h1',
      "mkdir -p /usr/local/bin && printf '#!/bin/sh\\necho v1.29.15+k0s.0 # other\\n' >/usr/local/bin/k0s && chmod 755 /usr/local/bin/k0s",
    );
    const kept = await play(`download_url: '${url}', checksum_url: ''`);
    expect(kept.code, kept.stdout).toBe(0);
    expect(await installed()).toContain('# other');
    bench.forgetRuns();
    const { code, stdout } = await play(
      `download_url: '${url}', checksum_url: '', checksum: ${sha256}`,
    );
    expect(code, stdout).toBe(0);
    expect(await installed()).toBe(binary);
  });
});

describe('the role k0s_binary with a file from the controller', () => {
  const local = (content: string | Buffer, inputs = '') => {
    const path = bench.cli.file('k0s-file', '');
    writeFileSync(path, content);
    return bench.play(
      `- { name: Bring k0s, hosts: all, vars: { k0s_version: v1.29.15+k0s.0, k0s_binary: '${path}' }, roles: [{ role: k0s_binary, inputs: { ${inputs} } }] }`,
    );
  };

  it('verifies its checksum before the upload', async () => {
    const wrong = await local(binary, `checksum: 'sha256:${'0'.repeat(64)}'`);
    expect(messageOf(wrong)).toContain(`but found ${sha256}`);
    expect(await installed()).toBe('');
    bench.forgetRuns();
    const right = await local(binary, `checksum: ${sha256}`);
    expect(right.code, right.stdout).toBe(0);
  });

  it('rejects a binary of another version, and restores the old one', async () => {
    await bench.shell('h1', 'mkdir -p /usr/local/bin && echo old >/usr/local/bin/k0s');
    const result = await local(binary.replace('v1.29.15', 'v1.30.0'));
    expect(result.code).toBe(3);
    expect(messageOf(result)).toMatch(
      /Expected v1\.29\.15\+k0s\.0 from "k0s version" of \S+, but found v1\.30\.0\+k0s\.0/,
    );
    expect(await installed()).toBe('old\n');
  });

  it('reports the architecture of a binary for another one', async () => {
    const result = await local(armHeader);
    expect(result.code).toBe(3);
    expect(messageOf(result)).toMatch(
      /The architecture of the host is x86_64, but the k0s binary .*k0s-file is for aarch64/,
    );
  });
});
