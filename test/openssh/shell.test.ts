import { afterAll, beforeAll, expect, it } from 'vitest';
import type { HostSession, Identity } from '../../src/core/host.ts';
import type { HostConnections } from '../../src/transport/connections.ts';
import { testConnections } from '../helpers/connections.ts';
import { Box, describeBox } from '../helpers/openssh/openssh.ts';

const limit = { timeoutMs: 20_000 };
const login: Identity = { user: undefined, method: 'sudo', password: undefined };
const noisy = 'echo profile noise; echo more >&2\n';

describeBox('the remote shell on a real host', () => {
  let box: Box;
  let connections: HostConnections;
  beforeAll(async () => {
    box = await Box.start({
      sshd: ['Banner /etc/issue', 'PrintMotd yes'],
      users: [
        { name: 'dash', shell: '/bin/dash' },
        {
          name: 'bash',
          shell: '/bin/bash',
          files: { '.bashrc': noisy, '.bash_profile': noisy, '.profile': noisy },
        },
        { name: 'fish', shell: '/usr/bin/fish', files: { '.config/fish/config.fish': noisy } },
        { name: 'csh', shell: '/usr/bin/tcsh', files: { '.cshrc': 'echo noise\n' } },
        {
          name: 'zsh',
          shell: '/usr/bin/zsh',
          files: { '.zshrc': noisy, '.zshenv': 'echo noise\n' },
        },
        { name: 'homeless', shell: '/bin/bash' },
      ],
      // A home that is gone, and a /tmp from which nothing may be run.
      setup: 'rm -rf /home/homeless; mount --bind /tmp /tmp; mount -o remount,bind,noexec /tmp\n',
    });
    connections = testConnections({ knownHosts: [box.knownHosts] });
  });
  afterAll(async () => {
    await connections.close();
    await box.stop();
  });
  const sessionOf = (user: string) => connections.session(box.host(user, `box-${user}`), login);
  const run = async (session: HostSession, script: string, timeoutMs = 20_000) => {
    const { outputs } = await session.perform(
      {
        actions: [{ kind: 'exec', argv: ['sh', '-c', script] }],
        captures: [],
        record: undefined,
      },
      { timeoutMs },
    );
    return outputs[0];
  };

  it.each(['root', 'dash', 'bash', 'fish', 'csh', 'zsh', 'homeless'])(
    'speaks with the login shell of %s',
    async (user) => {
      const session = await sessionOf(user);
      expect(await run(session, 'id -un; echo "it\'s" >&2; exit 7')).toEqual({
        code: 7,
        stdout: `${user}\n`,
        stderr: "it's\n",
      });
      const { outputs } = await session
        .perform(
          {
            actions: [{ kind: 'exec', argv: ['printf', '%s', 'a!b $HOME `x` "q" \\ \n*'] }],
            captures: [],
            record: { run: 'r1', unit: '1' },
          },
          limit,
        )
        .catch((error: unknown) => {
          // Without a home there is no place for the record: the step must not start, and say so.
          expect(user).toBe('homeless');
          throw error;
        });
      if (user === 'homeless') expect(outputs).toEqual([]);
      else expect(outputs[0]?.stdout).toBe('a!b $HOME `x` "q" \\ \n*');
    },
  );

  it('passes any bytes and megabytes on both streams', async () => {
    const session = await sessionOf('root');
    const answer = await run(
      session,
      'head -c 300000 /dev/zero; printf "\\377\\376\\n"; head -c 200000 /dev/zero >&2; printf "no newline"',
    );
    expect(answer?.stdout.length).toBe(300_003 + 'no newline'.length);
    expect(answer?.stderr.length).toBe(200_000);
    expect(answer?.stdout.endsWith('��\nno newline')).toBe(true);
  });

  it('keeps a part of a flood and its size', async () => {
    const session = await sessionOf('root');
    const sizes = { stdout: 0, stderr: 0 };
    const { outputs } = await session.perform(
      {
        actions: [{ kind: 'exec', argv: ['head', '-c', '50000000', '/dev/zero'] }],
        captures: [],
        record: undefined,
      },
      {
        ...limit,
        overflow: (stream) => ({
          write: (bytes) => (sizes[stream] += bytes.length),
          end: () => undefined,
        }),
      },
    );
    expect(outputs[0]?.bytes).toEqual({ stdout: 50_000_000, stderr: 0 });
    expect(outputs[0]?.stdout.length).toBe(1024 * 1024);
    expect(sizes).toEqual({ stdout: 50_000_000, stderr: 0 });
  });

  it('does not mix what a child left behind writes into later answers', async () => {
    const session = await sessionOf('root');
    const first = await run(
      session,
      '(i=0; while [ $i -lt 200 ]; do echo intruder; echo intruder >&2; i=$((i+1)); sleep 0.02; done) & echo started',
    );
    expect(first).toMatchObject({ code: 0 });
    expect(first?.stdout).toContain('started\n');
    for (let turn = 0; turn < 20; turn++) {
      const answer = await run(session, 'sleep 0.05; echo mine');
      expect(answer).toEqual({ code: 0, stdout: 'mine\n', stderr: '' });
    }
    // setsid, as daemons do, and a sleeper that holds the descriptors without a word.
    await run(session, 'setsid sh -c "sleep 0.3; echo late; sleep 2" & :');
    expect(await run(session, 'sleep 0.6; echo mine')).toMatchObject({ stdout: 'mine\n' });
  });

  it('ends a command with all its children when its time is over, and says so', async () => {
    const session = await sessionOf('dash');
    const stubborn =
      'trap "" TERM; setsid sh -c "trap : TERM; while :; do sleep 77; done" & while :; do sleep 77; done';
    await expect(run(session, stubborn, 500)).rejects.toMatchObject({
      code: 'TIMED_OUT',
      message: expect.stringContaining('Its processes on the host were ended.') as string,
    });
    const left = await run(await sessionOf('root'), 'ps ax -o args | grep "[s]leep 77"; :');
    expect(left?.stdout).toBe('');
  });

  it('ends a command when the operator gives up', async () => {
    const abort = new AbortController();
    const session = await sessionOf('dash');
    const going = session.perform(
      { actions: [{ kind: 'exec', argv: ['sleep', '78'] }], captures: [], record: undefined },
      { timeoutMs: 20_000, signal: abort.signal },
    );
    setTimeout(() => {
      abort.abort();
    }, 200);
    await expect(going).rejects.toMatchObject({ code: 'TIMED_OUT' });
    const left = await run(await sessionOf('root'), 'ps ax -o args | grep "[s]leep 78"; :');
    expect(left?.stdout).toBe('');
  });
});

describeBox('a host without coreutils', () => {
  it('is served by busybox alone', async () => {
    const box = await Box.start({
      // The shell and every program are busybox's; the machine's own are out of the path.
      setup: [
        'mkdir /run/bb',
        'busybox --install -s /run/bb',
        'mount --bind /usr/bin/busybox "$(readlink -f /bin/sh)"',
        'for tool in cat stat head tail sync base64 sha256sum rm mv chmod chown mkdir du cp grep sleep readlink id env tee; do',
        '  p=/usr/bin/$tool; [ -e "$p" ] && mount --bind /usr/bin/busybox "$p"',
        'done',
      ].join('\n'),
    });
    const connections = testConnections({ knownHosts: [box.knownHosts] });
    try {
      const session = await connections.session(box.host(), login);
      const path = '/var/tmp/a file';
      const [found] = await session.read([{ script: `file_state '${path}'` }], limit);
      expect(found?.stdout).toBe('absent\n');
      const written = await session.perform(
        {
          actions: [
            { kind: 'write', path, content: 'text', mode: '0640' },
            { kind: 'exec', argv: ['cat', '--', path] },
            { kind: 'exec', argv: ['cat', '--help'] },
          ],
          captures: [{ path, name: '1.0' }],
          record: { run: 'r1', unit: '1' },
        },
        limit,
      );
      expect(written.captureError).toBeUndefined();
      expect(written.outputs[1]).toEqual({ code: 0, stdout: 'text', stderr: '' });
      expect(`${written.outputs[2]?.stdout ?? ''}${written.outputs[2]?.stderr ?? ''}`).toContain(
        'BusyBox',
      );
      expect(await session.unitRecord('r1', '1', limit)).toEqual({ state: 'finished', code: 0 });
      const [state] = await session.read([{ script: `file_state '${path}'` }], limit);
      expect(state?.stdout).toMatch(/^file\|640\|0\|0\|root\|root\|4\|\d+\n[0-9a-f]{64} /);
    } finally {
      await connections.close();
      await box.stop();
    }
  });
});
