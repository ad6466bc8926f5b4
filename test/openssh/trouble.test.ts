import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import type { FetchAction, UploadAction } from '../../src/core/action.ts';
import type { HostSession } from '../../src/core/host.ts';
import { decryptStream } from '../../src/util/age.ts';
import { digestFile } from '../../src/util/digest.ts';
import type { TestConnections } from '../helpers/connections.ts';
import { eventually } from '../helpers/eventually.ts';
import { Box, describeBox } from '../helpers/openssh/openssh.ts';
import { FaultProxy } from '../helpers/openssh/proxy.ts';
import {
  batch,
  connectionsOfTest,
  exec,
  limit,
  login,
  output,
  transports,
} from '../helpers/openssh/sessions.ts';
import { perform, unitRecord } from '../helpers/exchange.ts';

const unit = 1;
/** Waits on the host until the test creates /run/go. */
const UNTIL_GO = 'until test -e /run/go; do sleep 0.05; done';
/** In ssh_config: the host counts as lost after 2 s without an answer. */
const KEEPALIVE = '  ServerAliveInterval 1\n  ServerAliveCountMax 1\n';

describeBox('A session on a real host', () => {
  const connect = connectionsOfTest();
  let box: Box;
  let proxy: FaultProxy;
  beforeAll(async () => {
    box = await Box.start({
      setup: 'mkdir /run/small; mount -t tmpfs -o size=1m tmpfs /run/small',
    });
    writeFileSync(join(box.dir, 'known_alias'), `box ${box.hostKey()}\n`);
  });
  beforeEach(async () => {
    await box.reset();
    proxy = await FaultProxy.start(box);
  });
  afterEach(() => proxy.stop());
  afterAll(() => box.stop());

  /** A session through the proxy. */
  const session = (options: TestConnections = {}, config = ''): Promise<HostSession> => {
    const file = join(box.dir, 'config');
    const place = `  HostName 127.0.0.1\n  Port ${String(proxy.port)}\n  HostKeyAlias box\n`;
    writeFileSync(file, `Host box\n${place}${config}`);
    const connections = connect({
      sshConfig: file,
      knownHosts: [join(box.dir, 'known_alias')],
      ...options,
    });
    return connections.session({ ...box.host(), address: 'box', port: undefined }, login);
  };
  const exists = (file: string) => existsSync(box.path(file));
  const create = (file: string) => {
    writeFileSync(box.path(file), '');
  };
  /** Names of all files where the tests write to. */
  const files = () => readdirSync(box.path('/var/tmp'));
  const upload = async (from: string, path: string): Promise<UploadAction> => {
    const { size, checksum } = await digestFile(from);
    return { kind: 'upload', path, from, size, checksum };
  };

  /** A TCP server on the controller, for one test. */
  const withServer = async (
    serve: (socket: Socket) => void,
    test: (port: number) => Promise<void>,
  ): Promise<void> => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      serve(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await test((server.address() as AddressInfo).port);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  };

  it('fails in the handshake, after a second attempt, when the host accepts the connection but never answers', async () => {
    let accepted = 0;
    await withServer(
      () => accepted++,
      async (port) => {
        const connections = connect({ connectTimeoutMs: 400 });
        const host = { ...box.host(), address: '127.0.0.1', port };
        await expect(connections.session(host, login)).rejects.toMatchObject({
          code: 'UNREACHABLE',
          stage: 'handshake',
          message: expect.stringContaining('did not answer within 0.4 s') as string,
        });
      },
    );
    expect(accepted).toBe(2);
  });

  it('fails in the handshake when the port belongs to a web server', async () => {
    await withServer(
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      async (port) => {
        const host = { ...box.host(), address: '127.0.0.1', port };
        await expect(connect().session(host, login)).rejects.toMatchObject({
          code: 'UNREACHABLE',
          stage: 'handshake',
          message: expect.stringContaining('is not an SSH server') as string,
        });
      },
    );
  });

  it('is established when the host first closes some connections and then accepts one', async () => {
    proxy.refuse(true);
    const pending = session();
    await eventually(() => proxy.accepted >= 2);
    proxy.refuse(false);
    expect(await output(await pending, 'echo there')).toBe('there\n');
  });

  it.each(transports)(
    'with transport %s reports a lost connection when the host stops answering during a command',
    async (transport) => {
      const one = await session({ transport }, KEEPALIVE);
      const running = perform(one, exec(`touch /run/began; ${UNTIL_GO}`), limit);
      const lost = expect(running).rejects.toMatchObject({ code: 'UNREACHABLE', stage: 'lost' });
      await eventually(() => exists('/run/began'));
      proxy.freeze();
      await lost;
    },
  );

  it.each(transports)(
    'with transport %s reports a lost connection, not a result, when it is reset during a command, and reconnects',
    async (transport) => {
      const one = await session({ transport });
      const running = perform(one, exec(`touch /run/began; ${UNTIL_GO}`, { unit }), limit);
      const lost = expect(running).rejects.toMatchObject({ code: 'UNREACHABLE', stage: 'lost' });
      await eventually(() => exists('/run/began'));
      proxy.cut();
      await lost;
      expect(await output(one, 'echo back')).toBe('back\n');
    },
  );

  it('reports a lost connection when a command kills the remote shell, and opens a new shell', async () => {
    const one = await session();
    await expect(perform(one, exec('kill -9 $PPID; sleep 0.1'), limit)).rejects.toMatchObject({
      stage: 'lost',
    });
    expect(await output(one, 'echo back')).toBe('back\n');
  });

  it('leaves no temporary file when the connection is reset during an upload, and repeats the upload', async () => {
    const from = join(box.dir, 'large');
    writeFileSync(from, randomBytes(3 * 1024 * 1024));
    const action = { ...(await upload(from, '/var/tmp/large')), mode: '0640' };
    const one = await session();
    await output(one, ':');
    proxy.cutAfter(1024 * 1024);
    await expect(perform(one, batch(action), limit)).rejects.toMatchObject({ stage: 'lost' });
    await eventually(() => files().length === 0);
    const { outputs } = await perform(one, batch(action), limit);
    expect(outputs[0]).toMatchObject({ code: 0, stderr: '' });
    expect(files()).toEqual(['large']);
    expect((await digestFile(box.path('/var/tmp/large'))).checksum).toBe(action.checksum);
    expect(statSync(box.path('/var/tmp/large')).mode & 0o7777).toBe(0o640);
  });

  it('fetches a file of several MiB without a change', async () => {
    const bytes = randomBytes(3 * 1024 * 1024);
    writeFileSync(box.path('/var/tmp/large'), bytes);
    const { checksum } = await digestFile(box.path('/var/tmp/large'));
    const to = join(box.dir, 'fetched');
    const fetch: FetchAction = { kind: 'fetch', path: '/var/tmp/large', to, checksum };
    await perform(await session(), batch(fetch), limit);
    expect(readFileSync(to).equals(bytes)).toBe(true);
  });

  it('refuses a fetched file whose checksum differs, and leaves nothing on the controller', async () => {
    writeFileSync(box.path('/var/tmp/file'), 'content\n');
    const to = join(box.dir, 'refused');
    const fetch: FetchAction = { kind: 'fetch', path: '/var/tmp/file', to, checksum: '00' };
    await expect(perform(await session(), batch(fetch), limit)).rejects.toThrow(
      'changed during the transfer',
    );
    expect(readdirSync(box.dir).filter((name) => name.startsWith('refused'))).toEqual([]);
  });

  it('leaves no encrypted file behind when the connection breaks in the middle of a fetch', async () => {
    const bytes = randomBytes(8 * 1024 * 1024);
    writeFileSync(box.path('/var/tmp/large'), bytes);
    const { checksum } = await digestFile(box.path('/var/tmp/large'));
    const identity = await generateIdentity();
    const recipients = [await identityToRecipient(identity)];
    const to = join(box.dir, 'kept', 'large.age');
    const fetch: FetchAction = {
      ...{ kind: 'fetch', path: '/var/tmp/large', to, checksum },
      encrypt: { recipients },
    };
    const one = await session();
    await output(one, ':');
    const broken = perform(one, batch(fetch), limit);
    const stored = () => statSync(`${to}.runner-tmp`, { throwIfNoEntry: false })?.size ?? 0;
    let over = false;
    const cut = (): void => {
      if (stored() > 1_000_000) proxy.cut();
      else if (!over) setImmediate(cut);
    };
    cut();
    await expect(
      broken.finally(() => {
        over = true;
      }),
    ).rejects.toMatchObject({ stage: 'lost' });
    expect(readdirSync(join(box.dir, 'kept'))).toEqual([]);
    await perform(one, batch(fetch), limit);
    expect(readdirSync(join(box.dir, 'kept'))).toEqual(['large.age']);
    const parts: Uint8Array[] = [];
    const file = new Blob([readFileSync(to)]).stream();
    for await (const part of decryptStream(file, { identities: [identity] }, 'It'))
      parts.push(part);
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  });

  it('fails an upload of a file that became shorter than announced, and leaves nothing on the host', async () => {
    const from = join(box.dir, 'shorter');
    writeFileSync(from, 'x'.repeat(2000));
    const action = await upload(from, '/var/tmp/shorter');
    writeFileSync(from, 'x'.repeat(1000));
    const one = await session();
    await expect(perform(one, batch(action), limit)).rejects.toMatchObject({ code: 'TASK_FAILED' });
    await eventually(() => files().length === 0);
    expect(await output(one, 'echo fine')).toBe('fine\n');
  });

  it('uploads only the announced bytes of a file that became longer, and does not run the rest as commands', async () => {
    const from = join(box.dir, 'longer');
    writeFileSync(from, 'x'.repeat(1000));
    const action = await upload(from, '/var/tmp/longer');
    writeFileSync(from, `${'x'.repeat(1000)}touch /run/intruder\n`);
    const one = await session();
    expect((await perform(one, batch(action), limit)).outputs[0]?.code).toBe(0);
    expect(await output(one, 'echo fine')).toBe('fine\n');
    expect(exists('/run/intruder')).toBe(false);
    expect(files()).toEqual(['longer']);
    expect(statSync(box.path('/var/tmp/longer')).size).toBe(1000);
  });

  it('fails only the fetch, and stays usable, when the file on the controller cannot be written', async () => {
    writeFileSync(box.path('/var/tmp/small'), 'hello\n');
    const to = join(box.key, 'below', 'a-file');
    const fetch: FetchAction = { kind: 'fetch', path: '/var/tmp/small', to, checksum: '00' };
    const one = await session();
    await expect(perform(one, batch(fetch), limit)).rejects.toMatchObject({
      code: 'TASK_FAILED',
      message: expect.stringContaining('cannot be written') as string,
    });
    expect(await output(one, 'echo fine')).toBe('fine\n');
  });

  it('ends the idle shell of an earlier connection of the run before it reports that no earlier step is running', async () => {
    const earlier = await session({ run: 'fenced' });
    const shell = (await output(earlier, 'echo $$'))?.trim() ?? '';
    expect(exists(`/proc/${shell}`)).toBe(true);
    const later = await session({ run: 'fenced' });
    // A record of another unit in the same shell does not influence the result.
    await perform(later, exec(':', { unit: 7 }), limit);
    expect(await unitRecord(later, 7)).toEqual({ state: 'finished', code: 0 });
    const { control } = await later.exchange({ control: { fence: true } }, limit);
    expect(control.fence).toBe('clear');
    await eventually(() => !exists(`/proc/${shell}`));
  });

  it('names a full disk as the reason of a failed upload or write, leaves no partial file and stays usable', async () => {
    const from = join(box.dir, 'too-large');
    writeFileSync(from, randomBytes(2 * 1024 * 1024));
    const one = await session();
    const content = 'x'.repeat(2 * 1024 * 1024);
    for (const action of [
      await upload(from, '/run/small/f'),
      { kind: 'write', path: '/run/small/g', content } as const,
    ]) {
      const { outputs } = await perform(one, batch(action), limit);
      expect(outputs[0]?.code).not.toBe(0);
      expect(outputs[0]?.stderr).toMatch(/No space left|write error/);
      expect(readdirSync(box.path('/run/small'))).toEqual([]);
    }
    expect(await output(one, 'echo fine')).toBe('fine\n');
  });

  it('runs nothing when the disk has no space for the record of the step', async () => {
    await box.shell('mount -t tmpfs -o size=4k,nr_inodes=2 tmpfs /var/lib/runner');
    const one = await session();
    const { refused } = await perform(one, exec('touch /run/done', { unit }), limit);
    expect(refused).toMatch(/No space left/);
    expect(exists('/run/done')).toBe(false);
  });

  it('returns the result of a detached step that ran while the connection was down', async () => {
    const one = await session();
    const shown: string[] = [];
    const script = `echo run >>/run/detached; echo first; ${UNTIL_GO}; echo "last $(wc -l </run/detached)"; echo err >&2; exit 5`;
    const running = perform(one, exec(script, { unit, detach: true }), {
      ...limit,
      onOutput: ({ text }) => shown.push(text),
    });
    await eventually(() => exists('/run/detached') && shown.join('').includes('first'));
    const before = proxy.accepted;
    proxy.refuse(true);
    proxy.cut();
    await eventually(() => proxy.accepted > before);
    create('/run/go');
    proxy.refuse(false);
    expect((await running).outputs).toEqual([
      { code: 5, stdout: 'first\nlast 1\n', stderr: 'err\n' },
    ]);
  });

  it('shows the output of a detached step while it runs, and returns the output once', async () => {
    const one = await session();
    const shown: string[] = [];
    const script = `echo one; ${UNTIL_GO}; printf two`;
    const running = perform(one, exec(script, { unit, detach: true }), {
      ...limit,
      onOutput: ({ text }) => shown.push(text),
    });
    await eventually(() => shown.join('').startsWith('one'));
    create('/run/go');
    expect((await running).outputs).toEqual([{ code: 0, stdout: 'one\ntwo', stderr: '' }]);
    expect(shown.join('')).toMatch(/^one\n/);
  });

  it('reports a detached step as interrupted when the host restarts, and reconnects', async () => {
    const one = await session();
    const running = perform(
      one,
      exec(`touch /run/began; ${UNTIL_GO}`, { unit, detach: true }),
      limit,
    );
    const interrupted = expect(running).rejects.toMatchObject({
      code: 'TASK_FAILED',
      message: expect.stringContaining('the step was interrupted on the host') as string,
    });
    await eventually(() => exists('/run/began'));
    await box.reboot();
    await interrupted;
    expect(await output(one, 'echo up')).toBe('up\n');
  });
});
