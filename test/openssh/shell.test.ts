import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { HostSession } from '../../src/core/host.ts';
import { eventually } from '../helpers/eventually.ts';
import { Box, describeBox } from '../helpers/openssh/openssh.ts';
import {
  batch,
  connectionsOfTest,
  exec,
  limit,
  login,
  output,
} from '../helpers/openssh/sessions.ts';
import { itWith, type Program } from '../helpers/programs.ts';
import { perform, unitRecord } from '../helpers/exchange.ts';

const noisy = 'echo profile noise; echo more >&2\n';

describeBox('The remote shell', () => {
  const connect = connectionsOfTest();
  let box: Box;
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
      setup: 'rm -rf /home/homeless; mount -o remount,noexec /tmp\n',
    });
  });
  beforeEach(() => box.reset());
  afterAll(() => box.stop());

  const sessionOf = (user: string): Promise<HostSession> => {
    const connections = connect({ knownHosts: [box.knownHosts] });
    return connections.session(box.host(user, `box-${user}`), login);
  };
  const run = async (session: HostSession, script: string, timeoutMs = limit.timeoutMs) => {
    const { outputs } = await perform(session, exec(script), { timeoutMs });
    return outputs[0];
  };

  const script = 'id -un; echo "it\'s" >&2; exit 7';
  const argv = ['printf', '%s', 'a!b $HOME `x` "q" \\ \n*'];
  const logins: { title: string; user: string; needs: Program[] }[] = [
    { title: 'root', user: 'root', needs: [] },
    { title: 'a user with the login shell dash', user: 'dash', needs: [] },
    { title: 'a user of bash whose profile writes output', user: 'bash', needs: [] },
    { title: 'a user of fish whose profile writes output', user: 'fish', needs: ['fish'] },
    { title: 'a user of tcsh whose profile writes output', user: 'csh', needs: ['tcsh'] },
    { title: 'a user of zsh whose profile writes output', user: 'zsh', needs: ['zsh'] },
  ];
  for (const { title, user, needs } of logins) {
    itWith(...needs)(
      `runs commands of ${title}, and returns nothing but their output`,
      async () => {
        const session = await sessionOf(user);
        expect(await run(session, script)).toEqual({
          code: 7,
          stdout: `${user}\n`,
          stderr: "it's\n",
        });
        const { outputs } = await perform(
          session,
          { ...batch({ kind: 'exec', argv }), unit: 1 },
          limit,
        );
        expect(outputs[0]?.stdout).toBe(argv[2]);
      },
    );
  }

  it('runs only commands without a record when the home directory of the user is missing', async () => {
    const session = await sessionOf('homeless');
    expect(await run(session, script)).toEqual({
      code: 7,
      stdout: 'homeless\n',
      stderr: "it's\n",
    });
    const { outputs, refused } = await perform(
      session,
      { ...batch({ kind: 'exec', argv }), unit: 1 },
      limit,
    );
    expect(outputs).toEqual([]);
    expect(refused).toMatch(/Permission denied/);
  });

  it('returns hundreds of kilobytes with any bytes on both streams', async () => {
    const session = await sessionOf('root');
    const answer = await run(
      session,
      'head -c 300000 /dev/zero; printf "\\377\\376\\n"; head -c 200000 /dev/zero >&2; printf "no newline"',
    );
    expect(answer?.stdout.length).toBe(300_003 + 'no newline'.length);
    expect(answer?.stderr.length).toBe(200_000);
    expect(answer?.stdout.endsWith('\ufffd\ufffd\nno newline')).toBe(true);
  });

  it('keeps the first MiB of a long output in memory, counts all bytes and passes them to the overflow sink', async () => {
    const session = await sessionOf('root');
    const sizes = { stdout: 0, stderr: 0 };
    const { outputs } = await perform(
      session,
      batch({ kind: 'exec', argv: ['head', '-c', '50000000', '/dev/zero'] }),
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

  it('keeps the output of a background process out of later answers', async () => {
    const session = await sessionOf('root');
    const intruder =
      'while ! test -e /run/enough; do echo intruder; echo intruder >&2; sleep 0.01; done';
    const first = await run(session, `(${intruder}) & echo started`);
    expect(first).toMatchObject({ code: 0 });
    expect(first?.stdout).toContain('started\n');
    try {
      for (let turn = 0; turn < 10; turn++) {
        const answer = await run(session, 'sleep 0.03; echo mine');
        expect(answer).toEqual({ code: 0, stdout: 'mine\n', stderr: '' });
      }
    } finally {
      writeFileSync(box.path('/run/enough'), '');
    }
  });

  it('keeps the late output of a daemon out of the answer that is read meanwhile', async () => {
    const session = await sessionOf('root');
    // As daemons do, setsid leaves the process group. The process keeps the file descriptors of the shell open.
    const daemon = 'until test -e /run/speak; do sleep 0.02; done; echo late; touch /run/spoken';
    await run(session, `setsid sh -c "${daemon}; until test -e /run/end; do sleep 0.1; done" & :`);
    const answer = await run(
      session,
      'touch /run/speak; until test -e /run/spoken; do sleep 0.02; done; echo mine',
    );
    expect(answer).toEqual({ code: 0, stdout: 'mine\n', stderr: '' });
    writeFileSync(box.path('/run/end'), '');
  });

  it('ends a command that exceeds its time limit, and children that ignore SIGTERM, and reports it', async () => {
    const session = await sessionOf('dash');
    const stubborn =
      'trap "" TERM; setsid sh -c "trap : TERM; while :; do sleep 77; done" & while :; do sleep 77; done';
    await expect(run(session, stubborn, 500)).rejects.toMatchObject({
      code: 'TIMED_OUT',
      message: expect.stringContaining('Its processes on the host were killed.') as string,
    });
    expect(box.processes().filter((line) => line.includes('sleep 77'))).toEqual([]);
  });

  it('ends the running command when the run is aborted', async () => {
    const abort = new AbortController();
    const session = await sessionOf('dash');
    const going = perform(session, batch({ kind: 'exec', argv: ['sleep', '78'] }), {
      ...limit,
      signal: abort.signal,
    });
    const aborted = expect(going).rejects.toMatchObject({ code: 'TIMED_OUT' });
    await eventually(() => box.processes().includes('sleep 78'));
    abort.abort();
    await aborted;
    expect(box.processes()).not.toContain('sleep 78');
  });
});

describeBox(
  'A host whose only programs are those of busybox',
  () => {
    const connect = connectionsOfTest();
    let box: Box;
    beforeAll(async () => {
      box = await Box.start({
        // busybox stands in for the shell and for each program that the runtime calls.
        setup: [
          'mount --bind /usr/bin/busybox "$(readlink -f /bin/sh)"',
          'for tool in cat stat head tail sync base64 sha256sum rm mv chmod chown mkdir du cp grep sleep readlink id env tee; do',
          '  p=/usr/bin/$tool; [ -e "$p" ] && mount --bind /usr/bin/busybox "$p"',
          'done',
        ].join('\n'),
      });
    });
    afterAll(() => box.stop());

    it('keeps records and copies, writes files, runs commands and reports file states', async () => {
      const connections = connect({ knownHosts: [box.knownHosts] });
      const session = await connections.session(box.host(), login);
      const path = '/var/tmp/a file';
      expect(await output(session, `rn_file_state '${path}'`)).toBe('absent\n');
      const written = await perform(
        session,
        {
          actions: [
            { kind: 'write', path, content: 'text', mode: '0640' },
            { kind: 'exec', argv: ['cat', '--', path] },
            { kind: 'exec', argv: ['cat', '--help'] },
          ],
          copies: [path],
          unit: 1,
        },
        limit,
      );
      expect(written.refused).toBeUndefined();
      expect(written.outputs[1]).toEqual({ code: 0, stdout: 'text', stderr: '' });
      expect(`${written.outputs[2]?.stdout ?? ''}${written.outputs[2]?.stderr ?? ''}`).toContain(
        'BusyBox',
      );
      expect(await unitRecord(session, 1)).toEqual({ state: 'finished', code: 0 });
      expect(await output(session, `rn_file_state '${path}'`)).toMatch(
        /^file\|640\|0\|0\|root\|root\|4\|\d+\n[0-9a-f]{64} /,
      );
    });
  },
  'busybox',
);
