import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Batch, HostSession, Identity } from '../../src/core/host.ts';
import type { HostConnections } from '../../src/transport/connections.ts';
import { digestFile } from '../../src/util/digest.ts';
import { testConnections, type TestConnections } from '../helpers/connections.ts';
import { Box, describeBox } from '../helpers/openssh/openssh.ts';
import { FaultProxy } from '../helpers/openssh/proxy.ts';

const limit = { timeoutMs: 20_000 };
const login: Identity = { user: undefined, method: 'sudo', password: undefined };
const exec = (script: string, extra: Partial<Batch> = {}): Batch => ({
  actions: [{ kind: 'exec', argv: ['sh', '-c', script] }],
  captures: [],
  record: undefined,
  ...extra,
});

describeBox('trouble on the line', () => {
  let box: Box;
  let proxy: FaultProxy;
  let unit = 0;
  const open: HostConnections[] = [];
  beforeAll(async () => {
    box = await Box.start({
      setup: 'mkdir -p /srv; mount -t tmpfs -o size=1m tmpfs /srv\n',
    });
  });
  beforeEach(async () => {
    proxy = await FaultProxy.start(box);
    writeFileSync(
      join(box.dir, 'config'),
      `Host box\n  HostName 127.0.0.1\n  Port ${String(proxy.port)}\n  HostKeyAlias box\n  ServerAliveInterval 1\n  ServerAliveCountMax 2\n`,
    );
    writeFileSync(join(box.dir, 'known_alias'), `box ${box.hostKey()}\n`);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
    await proxy.stop();
  });
  afterAll(async () => {
    await box.stop();
  });
  const session = async (options: TestConnections = {}): Promise<HostSession> => {
    const connections = testConnections({
      sshConfig: join(box.dir, 'config'),
      knownHosts: [join(box.dir, 'known_alias')],
      ...options,
    });
    open.push(connections);
    const host = { ...box.host(), address: 'box', port: undefined };
    return connections.session(host, login);
  };
  /** Looks at the host by a line of its own. */
  const look = async (script: string): Promise<string> => {
    const connections = testConnections({ knownHosts: [box.knownHosts] });
    open.push(connections);
    const direct = await connections.session(box.host(), login);
    const [answer] = await direct.read([{ script }], limit);
    return answer?.stdout ?? '';
  };
  const record = () => ({ run: 'r1', unit: String(++unit) });
  const appears = async (script: string, wanted: string) => {
    for (let attempt = 0; attempt < 100; attempt++) {
      if ((await look(script)) === wanted) return;
      await wait(100);
    }
    throw new Error(`"${script}" did not come to say ${wanted}`);
  };

  it('a host that takes connections and never answers is named within its limit', async () => {
    const taken: Socket[] = [];
    const silent = createServer((socket) => taken.push(socket));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const connections = testConnections({ connectTimeoutMs: 400 });
    open.push(connections);
    const { port } = silent.address() as AddressInfo;
    const host = { ...box.host(), address: '127.0.0.1', port };
    await expect(connections.session(host, login)).rejects.toMatchObject({
      stage: 'handshake',
      message: expect.stringContaining('did not answer within 0.4 s') as string,
    });
    for (const socket of taken) socket.destroy();
    silent.close();
  }, 45_000);

  it('something that is not ssh is named', async () => {
    const web = createServer((socket) => {
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    const connections = testConnections({ connectTimeoutMs: 400 });
    open.push(connections);
    const { port } = web.address() as AddressInfo;
    await expect(
      connections.session({ ...box.host(), address: '127.0.0.1', port }, login),
    ).rejects.toMatchObject({ code: 'UNREACHABLE', stage: 'handshake' });
    web.close();
  }, 45_000);

  it('a host that refuses for a moment is waited for', async () => {
    proxy.refuse(true);
    const waiting = session();
    await wait(700);
    proxy.refuse(false);
    expect((await (await waiting).read([{ script: 'echo there' }], limit))[0]?.stdout).toBe(
      'there\n',
    );
  });

  it.each(['ssh', 'openssh'] as const)(
    'a peer frozen in a command is noticed by %s',
    async (transport) => {
      const one = await session({ transport });
      const going = one.perform(exec('sleep 30'), { timeoutMs: 25_000 });
      await wait(300);
      proxy.freeze();
      await expect(going).rejects.toMatchObject({ stage: 'lost' });
    },
  );

  it.each(['ssh', 'openssh'] as const)(
    'a reset in a command is not a result by %s',
    async (transport) => {
      const one = await session({ transport });
      const going = one.perform(exec('sleep 1; true', { record: record() }), limit);
      await wait(300);
      proxy.cut();
      await expect(going).rejects.toMatchObject({ code: 'UNREACHABLE', stage: 'lost' });
      expect((await one.read([{ script: 'echo back' }], limit))[0]?.stdout).toBe('back\n');
    },
  );

  it('a shell that is killed in a command is not a result', async () => {
    const one = await session();
    await expect(one.perform(exec('kill -9 $PPID; sleep 1'), limit)).rejects.toMatchObject({
      stage: 'lost',
    });
    expect((await one.read([{ script: 'echo back' }], limit))[0]?.stdout).toBe('back\n');
  });

  it('a reset in a file leaves no debris, and the next try puts it there', async () => {
    const from = join(box.dir, 'large');
    const bytes = randomBytes(8 * 1024 * 1024);
    writeFileSync(from, bytes);
    const { size, checksum } = await digestFile(from);
    const path = '/var/tmp/large';
    const upload: Batch = {
      actions: [{ kind: 'upload', path, from, size, checksum, mode: '0640' }],
      captures: [],
      record: undefined,
    };
    const one = await session();
    await one.read([{ script: ':' }], limit);
    proxy.cutAfter(3 * 1024 * 1024);
    await expect(one.perform(upload, limit)).rejects.toMatchObject({ stage: 'lost' });
    await appears('ls -A /var/tmp', '');
    expect((await one.perform(upload, limit)).outputs[0]).toMatchObject({ code: 0, stderr: '' });
    expect(await look(`stat -c "%a %s" ${path}; sha256sum <${path}; ls -A /var/tmp`)).toBe(
      `640 ${String(size)}\n${checksum}  -\nlarge\n`,
    );
    // And back again, to the controller.
    const to = join(box.dir, 'copy');
    const fetch: Batch = {
      actions: [{ kind: 'fetch', path, to, checksum }],
      captures: [],
      record: undefined,
    };
    await one.perform(fetch, limit);
    expect(readFileSync(to).equals(bytes)).toBe(true);
    rmSync(to);
    const changed = { ...fetch, actions: [{ kind: 'fetch' as const, path, to, checksum: '00' }] };
    await expect(one.perform(changed, limit)).rejects.toThrow('changed while it was read');
    await look(`rm ${path}`);
  });

  it('a file that changes its size while it is sent is refused, and is never taken for commands', async () => {
    const from = join(box.dir, 'changing');
    const one = await session();
    const path = '/var/tmp/changing';
    for (const [announced, content] of [
      [2000, 'x'.repeat(1000)],
      [1000, `${'x'.repeat(1000)}touch /run/intruder\n`],
    ] as const) {
      writeFileSync(from, 'x'.repeat(announced));
      const { checksum } = await digestFile(from);
      writeFileSync(from, content);
      const upload = { kind: 'upload' as const, path, from, size: announced, checksum };
      const going = one.perform({ actions: [upload], captures: [], record: undefined }, limit);
      if (announced > content.length)
        await expect(going).rejects.toMatchObject({ code: 'TASK_FAILED' });
      else expect((await going).outputs[0]?.code).toBe(0);
    }
    expect(
      await look(`ls /run/intruder 2>/dev/null; wc -c <${path}; rm ${path}; ls -A /var/tmp`),
    ).toBe('1000\n');
  });

  it('a place on the controller where nothing can be written fails the step only', async () => {
    const one = await session();
    await look('echo hello >/var/tmp/small');
    const to = join(box.key, 'below', 'a-file');
    const fetch = { kind: 'fetch' as const, path: '/var/tmp/small', to, checksum: '00' };
    await expect(
      one.perform({ actions: [fetch], captures: [], record: undefined }, limit),
    ).rejects.toMatchObject({
      code: 'TASK_FAILED',
      message: expect.stringContaining('cannot be written') as string,
    });
    expect((await one.read([{ script: 'rm /var/tmp/small; echo fine' }], limit))[0]?.stdout).toBe(
      'fine\n',
    );
  });

  it('an idle shell of an earlier line is ended before its work is believed not to have begun', async () => {
    const earlier = await session({ run: 'fenced' });
    const [shell] = await earlier.read([{ script: 'echo $$' }], limit);
    const later = await session({ run: 'fenced' });
    // The record of another unit, looked at in the same shell, has nothing to do with it.
    await later.perform(exec(':', { record: { run: 'fenced', unit: '7' } }), limit);
    expect(await later.unitRecord('fenced', '7', limit)).toEqual({ state: 'finished', code: 0 });
    expect(await later.fence('fenced', limit)).toBe('clear');
    await appears(`kill -0 ${shell?.stdout.trim() ?? ''} 2>/dev/null || echo gone`, 'gone\n');
  });

  it('a full disk is named, leaves nothing behind and does not stop the shell', async () => {
    const from = join(box.dir, 'too-large');
    writeFileSync(from, randomBytes(3 * 1024 * 1024));
    const { size, checksum } = await digestFile(from);
    const one = await session();
    const upload = { kind: 'upload' as const, path: '/srv/f', from, size, checksum };
    const write = { kind: 'write' as const, path: '/srv/g', content: 'x'.repeat(2 * 1024 * 1024) };
    for (const action of [upload, write]) {
      const { outputs } = await one.perform(
        { actions: [action], captures: [], record: undefined },
        limit,
      );
      expect(outputs[0]?.code).not.toBe(0);
      expect(outputs[0]?.stderr).toMatch(/No space left|write error/);
      expect(await look('ls -A /srv')).toBe('');
    }
    expect((await one.read([{ script: 'echo fine' }], limit))[0]?.stdout).toBe('fine\n');
  });

  it('no room for the record means that nothing is done', async () => {
    await look('mount -t tmpfs -o size=4k,nr_inodes=2 tmpfs /var/lib/runner');
    const one = await session();
    const { captureError } = await one.perform(
      exec('touch /run/done', { record: record() }),
      limit,
    );
    expect(captureError).toMatch(/No space left/);
    expect(await look('ls /run/done 2>/dev/null; umount -l /var/lib/runner')).toBe('');
  });

  it('a detached step goes on without the line, and its answer is fetched when it is back', async () => {
    const one = await session();
    const shown: string[] = [];
    const script =
      'echo run >>/run/detached; echo first; sleep 2; echo "last $(wc -l </run/detached)"; echo err >&2; exit 5';
    const going = one.perform(exec(script, { record: record(), detach: true }), {
      ...limit,
      onOutput: (text) => shown.push(text),
    });
    await appears('cat /run/detached 2>/dev/null', 'run\n');
    proxy.refuse(true);
    proxy.cut();
    await wait(500);
    proxy.refuse(false);
    const { outputs } = await going;
    expect(outputs).toEqual([{ code: 5, stdout: 'first\nlast 1\n', stderr: 'err\n' }]);
    expect(shown.join('')).toContain('first');
  });

  it('a detached step on a whole line shows its output while it comes, and answers once', async () => {
    const one = await session();
    const shown: string[] = [];
    const { outputs } = await one.perform(
      exec('echo one; sleep 0.5; printf two', { record: record(), detach: true }),
      { ...limit, onOutput: (text) => shown.push(text) },
    );
    expect(outputs).toEqual([{ code: 0, stdout: 'one\ntwo', stderr: '' }]);
    expect(shown.join('')).toMatch(/^one\n/);
  });

  it('a detached step on a host that restarts is said to be interrupted', async () => {
    const one = await session();
    const going = one.perform(
      exec('touch /run/began; sleep 30', { record: record(), detach: true }),
      limit,
    );
    const failed = expect(going).rejects.toMatchObject({
      code: 'TASK_FAILED',
      message: expect.stringContaining('ended on the host before it was done') as string,
    });
    await appears('ls /run/began 2>/dev/null', '/run/began\n');
    const kept = '/run/kept';
    await look(`cp -r /var/lib/runner ${kept}`);
    // Its records are on a disk, so they survive; here they are carried over by hand.
    const records = await look(`cd ${kept} && tar c . | base64 -w0`);
    await box.reboot();
    await look(`printf %s '${records}' | base64 -d | tar x -C /var/lib/runner`);
    await failed;
    expect((await one.read([{ script: 'echo up' }], limit))[0]?.stdout).toBe('up\n');
  });
});
