import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Identity } from '../../src/core/host.ts';
import type { HostConnections } from '../../src/transport/connections.ts';
import { testConnections } from '../helpers/connections.ts';
import { Box, describeBox } from '../helpers/openssh/openssh.ts';

const limit = { timeoutMs: 20_000 };
const PASSWORD = 'Tr0ub4dor & 3';

describeBox('becoming another user on a real host', () => {
  let box: Box;
  const open: HostConnections[] = [];
  beforeAll(async () => {
    const people = [
      'ttyasked',
      'free',
      'asked',
      'outsider',
      'tty',
      'only',
      'lectured',
      'locked',
      'english',
    ];
    box = await Box.start({
      users: [...people.map((name) => ({ name, password: PASSWORD })), { name: 'app' }],
      rootPassword: 'root password 1',
      sudoers: [
        'Defaults:lectured lecture=always, timestamp_timeout=0',
        'Defaults:tty,ttyasked requiretty',
        'ttyasked ALL=(ALL) ALL',
        'Defaults:asked timestamp_timeout=0',
        'Defaults:free use_pty',
        'free ALL=(ALL) NOPASSWD: ALL',
        'asked ALL=(ALL) ALL',
        'lectured ALL=(ALL) ALL',
        'tty ALL=(ALL) NOPASSWD: ALL',
        'only ALL=(app) NOPASSWD: ALL',
        'locked ALL=(ALL) ALL',
      ],
      doas: ['permit nopass free as root', 'permit asked as root'],
      // The account of "locked" ended long ago.
      setup: 'sed -i "s/^locked:\\([^:]*\\):.*/locked:\\1:19000:0:99999:7::1:/" /etc/shadow\n',
    });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
  });
  afterAll(async () => {
    await box.stop();
  });
  const become = async (user: string, identity: Partial<Identity>, script = 'id -un') => {
    const connections = testConnections({ knownHosts: [box.knownHosts] });
    open.push(connections);
    const session = await connections.session(box.host(user), {
      user: 'root',
      method: 'sudo',
      password: undefined,
      ...identity,
    });
    const [answer] = await session.read([{ script }], limit);
    return answer?.stdout;
  };
  const password = PASSWORD;

  it.each<[string, Partial<Identity>, string]>([
    ['free', {}, 'root\n'],
    // It is not asked for, so it is not sent: the shell would take it for a command.
    ['free', { password }, 'root\n'],
    ['free', { user: 'app' }, 'app\n'],
    ['only', { user: 'app' }, 'app\n'],
    ['asked', { password }, 'root\n'],
    ['lectured', { password }, 'root\n'],
    ['outsider', { method: 'su', password: 'root password 1' }, 'root\n'],
    ['outsider', { method: 'su', user: 'free', password }, 'free\n'],
    ['free', { method: 'doas' }, 'root\n'],
    ['asked', { method: 'doas', password }, 'root\n'],
    ['tty', {}, 'root\n'],
    ['ttyasked', { password }, 'root\n'],
    ['tty', { user: 'app' }, 'app\n'],
  ])('%s by %o', async (user, identity, name) => {
    expect(await become(user, identity)).toBe(name);
  });

  it('keeps the password out of every argument list and environment', async () => {
    const script =
      'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n" | grep -c "[T]r0ub4dor"; :';
    expect(await become('asked', { password }, script)).toBe('0\n');
    expect(box.log()).not.toContain('Tr0ub4dor');
  });

  it.each<[string, Partial<Identity>, RegExp, RegExp]>([
    ['asked', { password: 'wrong' }, /the password is wrong/, /tried once/],
    ['asked', {}, /asks for a password and none was given/, /--become-password-file/],
    ['outsider', { password }, /user "outsider" may not/, /visudo/],
    ['only', {}, /asks for a password|may not/, /sudoers|--become-password-file/],
    ['ttyasked', { password: 'wrong' }, /the password is wrong/, /tried once/],
    ['ttyasked', {}, /asks for a password and none was given/, /--become-password-file/],
    ['asked', { user: 'locked', method: 'su', password }, /locked or expired/, /faillock/],
    ['free', { user: 'nobody-such' }, /no such user/, /become_user/],
    ['outsider', { method: 'su', password: 'wrong' }, /the password is wrong/, /tried once/],
    ['outsider', { method: 'su' }, /asks for a password and none was given/, /file/],
    ['outsider', { method: 'doas' }, /may not/, /doas\.conf/],
    ['asked', { method: 'doas', password: 'wrong' }, /the password is wrong/, /tried once/],
    ['asked', { method: 'doas' }, /asks for a password and none was given/, /file/],
  ])('%s by %o is refused with %s', async (user, identity, message, hint) => {
    const failure = become(user, identity);
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toMatchObject({
      stage: 'become',
      retryable: false,
      hint: expect.stringMatching(hint) as string,
    });
  });

  it('passes any bytes where a terminal is needed, and leaves nothing behind', async () => {
    const list = 'ls -d /tmp/tmp.*/in 2>/dev/null; :';
    const before = await become('free', {}, list);
    const connections = testConnections({ knownHosts: [box.knownHosts] });
    open.push(connections);
    const session = await connections.session(box.host('tty'), {
      user: 'root',
      method: 'sudo',
      password: undefined,
    });
    const script = 'head -c 300000 /dev/zero; printf "a\\r\\nb\\003\\004"; echo err >&2; exit 3';
    const { outputs } = await session.perform(
      { actions: [{ kind: 'exec', argv: ['sh', '-c', script] }], captures: [], record: undefined },
      limit,
    );
    expect(outputs[0]?.code).toBe(3);
    expect(outputs[0]?.stdout.length).toBe(300_006);
    expect(outputs[0]?.stdout.endsWith('a\r\nb\u0003\u0004')).toBe(true);
    expect(outputs[0]?.stderr).toBe('err\n');
    await connections.close();
    for (let attempt = 0; attempt < 50; attempt++) {
      if ((await become('free', {}, list)) === before) return;
    }
    throw new Error('the pipes were left behind');
  });

  it('tries a wrong password once only', async () => {
    const before = box.log();
    await expect(become('asked', { password: 'wrong' })).rejects.toThrow('the password is wrong');
    const tried = readFileSync(`${box.dir}/log`, 'utf8').slice(before.length);
    expect(tried).not.toContain('3 incorrect');
  });
});
