import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import type { HostSession, Identity } from '../../src/core/host.ts';
import { eventually } from '../helpers/eventually.ts';
import { Box, describeBox } from '../helpers/openssh/openssh.ts';
import { connectionsOfTest, exec, limit, output } from '../helpers/openssh/sessions.ts';
import { itWith, type Program } from '../helpers/programs.ts';
import { perform } from '../helpers/exchange.ts';

const password = 'Tr0ub4dor & 3';
const rootPassword = 'root password 1';
/** Where sudo records the number of wrong passwords. */
const SUDO_LOG = '/run/sudo.log';

interface Row {
  title: string;
  login: string;
  identity: Partial<Identity> & Pick<Identity, 'method'>;
}

/** The program of a method, if it is not part of every Debian system. */
const needed = ({ method }: Row['identity']): Program[] => (method === 'su' ? [] : [method]);

describeBox('Privilege escalation', () => {
  const connect = connectionsOfTest();
  let box: Box;
  beforeAll(async () => {
    // Named after what sudo, doas or PAM requires of them.
    const people = [
      'free',
      'asked',
      'lectured',
      'tty',
      'ttyasked',
      'only',
      'locked',
      'outsider',
    ].map((name) => ({ name, password }));
    box = await Box.start({
      users: [...people, { name: 'app' }],
      rootPassword,
      sudoers: [
        `Defaults logfile=${SUDO_LOG}`,
        'Defaults:lectured lecture=always, timestamp_timeout=0',
        'Defaults:tty,ttyasked requiretty',
        'Defaults:asked timestamp_timeout=0',
        'Defaults:free use_pty',
        'free ALL=(ALL) NOPASSWD: ALL',
        'asked ALL=(ALL) ALL',
        'lectured ALL=(ALL) ALL',
        'tty ALL=(ALL) NOPASSWD: ALL',
        'ttyasked ALL=(ALL) ALL',
        'only ALL=(app) NOPASSWD: ALL',
        'locked ALL=(ALL) ALL',
      ],
      doas: ['permit nopass free as root', 'permit asked as root'],
      // The account "locked" expired on the second day of 1970.
      setup: 'sed -i "s/^locked:\\([^:]*\\):.*/locked:\\1:19000:0:99999:7::1:/" /etc/shadow\n',
    });
  });
  beforeEach(() => box.reset());
  afterAll(() => box.stop());

  const become = (login: string, identity: Row['identity']): Promise<HostSession> =>
    connect({ knownHosts: [box.knownHosts] }).session(box.host(login), {
      user: 'root',
      password: undefined,
      ...identity,
    });

  const allowed: (Row & { user: string })[] = [
    {
      title: 'by sudo without a password',
      login: 'free',
      identity: { method: 'sudo' },
      user: 'root',
    },
    {
      // sudo does not prompt. A password sent all the same would be a command of the shell.
      title: 'by sudo with a password that sudo does not request',
      login: 'free',
      identity: { method: 'sudo', password },
      user: 'root',
    },
    {
      title: 'by sudo to another user than root',
      login: 'free',
      identity: { method: 'sudo', user: 'app' },
      user: 'app',
    },
    {
      title: 'by sudo when sudoers allows only that user',
      login: 'only',
      identity: { method: 'sudo', user: 'app' },
      user: 'app',
    },
    {
      title: 'by sudo with a password',
      login: 'asked',
      identity: { method: 'sudo', password },
      user: 'root',
    },
    {
      title: 'by sudo with a password after the lecture',
      login: 'lectured',
      identity: { method: 'sudo', password },
      user: 'root',
    },
    {
      title: 'by sudo with requiretty',
      login: 'tty',
      identity: { method: 'sudo' },
      user: 'root',
    },
    {
      title: 'by sudo with requiretty and a password',
      login: 'ttyasked',
      identity: { method: 'sudo', password },
      user: 'root',
    },
    {
      title: 'by sudo with requiretty to another user than root',
      login: 'tty',
      identity: { method: 'sudo', user: 'app' },
      user: 'app',
    },
    {
      title: 'by su with the password of root',
      login: 'outsider',
      identity: { method: 'su', password: rootPassword },
      user: 'root',
    },
    {
      title: 'by su with the password of another user',
      login: 'outsider',
      identity: { method: 'su', user: 'free', password },
      user: 'free',
    },
    {
      title: 'by doas without a password',
      login: 'free',
      identity: { method: 'doas' },
      user: 'root',
    },
    {
      title: 'by doas with a password',
      login: 'asked',
      identity: { method: 'doas', password },
      user: 'root',
    },
  ];
  for (const { title, login, identity, user } of allowed) {
    itWith(...needed(identity))(`runs commands as the other user ${title}`, async () => {
      expect(await output(await become(login, identity), 'id -un')).toBe(`${user}\n`);
    });
  }

  const refused: (Row & { message: RegExp; hint: RegExp })[] = [
    {
      title: 'sudo gets a wrong password',
      login: 'asked',
      identity: { method: 'sudo', password: 'wrong' },
      message: /the password is wrong/,
      hint: /only once/,
    },
    {
      title: 'sudo requires a password and none is provided',
      login: 'asked',
      identity: { method: 'sudo' },
      message: /requires a password, and none was provided/,
      hint: /--become-password-file/,
    },
    {
      title: 'sudoers does not list the login user',
      login: 'outsider',
      identity: { method: 'sudo', password },
      message: /user "outsider" is not allowed to/,
      hint: /visudo/,
    },
    {
      title: 'sudoers allows the login user another user only',
      login: 'only',
      identity: { method: 'sudo' },
      message: /requires a password|is not allowed to/,
      hint: /sudoers|--become-password-file/,
    },
    {
      title: 'sudo with requiretty gets a wrong password',
      login: 'ttyasked',
      identity: { method: 'sudo', password: 'wrong' },
      message: /the password is wrong/,
      hint: /only once/,
    },
    {
      title: 'sudo with requiretty requires a password and none is provided',
      login: 'ttyasked',
      identity: { method: 'sudo' },
      message: /requires a password, and none was provided/,
      hint: /--become-password-file/,
    },
    {
      title: 'the other user does not exist',
      login: 'free',
      identity: { method: 'sudo', user: 'nobody-such' },
      message: /the user does not exist/,
      hint: /become_user/,
    },
    {
      title: 'su finds the account expired',
      login: 'asked',
      identity: { method: 'su', user: 'locked', password },
      message: /locked or expired/,
      hint: /faillock/,
    },
    {
      title: 'su gets a wrong password',
      login: 'outsider',
      identity: { method: 'su', password: 'wrong' },
      message: /the password is wrong/,
      hint: /only once/,
    },
    {
      title: 'su requires a password and none is provided',
      login: 'outsider',
      identity: { method: 'su' },
      message: /requires a password, and none was provided/,
      hint: /file/,
    },
    {
      title: 'doas.conf does not list the login user',
      login: 'outsider',
      identity: { method: 'doas' },
      message: /is not allowed to/,
      hint: /doas\.conf/,
    },
    {
      title: 'doas gets a wrong password',
      login: 'asked',
      identity: { method: 'doas', password: 'wrong' },
      message: /the password is wrong/,
      hint: /only once/,
    },
    {
      title: 'doas requires a password and none is provided',
      login: 'asked',
      identity: { method: 'doas' },
      message: /requires a password, and none was provided/,
      hint: /file/,
    },
  ];
  for (const { title, login, identity, message, hint } of refused) {
    itWith(...needed(identity))(`fails with the reason and a hint when ${title}`, async () => {
      const failure = become(login, identity).then((session) => output(session, 'id -un'));
      await expect(failure).rejects.toThrow(message);
      await expect(failure).rejects.toMatchObject({
        stage: 'become',
        retryable: false,
        hint: expect.stringMatching(hint) as string,
      });
    });
  }

  itWith('sudo')(
    'keeps the password out of all argument lists and environments on the host',
    async () => {
      const script =
        'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n" | grep -c "[T]r0ub4dor"; :';
      const session = await become('asked', { method: 'sudo', password });
      expect(await output(session, script)).toBe('0\n');
      expect(box.log()).not.toContain('Tr0ub4dor');
    },
  );

  itWith('sudo')(
    'returns any bytes unchanged where sudo requires a terminal, and removes its named pipes',
    async () => {
      const directories = () =>
        readdirSync(box.path('/tmp')).filter((name) => existsSync(box.path(`/tmp/${name}/in`)));
      const connections = connect({ knownHosts: [box.knownHosts] });
      const session = await connections.session(box.host('tty'), {
        user: 'root',
        method: 'sudo',
        password: undefined,
      });
      const before = directories().length;
      const script = 'head -c 300000 /dev/zero; printf "a\\r\\nb\\003\\004"; echo err >&2; exit 3';
      const { outputs } = await perform(session, exec(script), limit);
      expect(outputs[0]?.code).toBe(3);
      expect(outputs[0]?.stdout.length).toBe(300_006);
      expect(outputs[0]?.stdout.endsWith('a\r\nb\u0003\u0004')).toBe(true);
      expect(outputs[0]?.stderr).toBe('err\n');
      expect(directories().length).toBe(before + 1);
      await connections.close();
      await eventually(() => directories().length === before);
    },
  );

  itWith('sudo')('sends a wrong password only once', async () => {
    const session = await become('asked', { method: 'sudo', password: 'wrong' });
    await expect(output(session, 'id -un')).rejects.toThrow('the password is wrong');
    // sudo writes its log after the connection ended.
    await eventually(() => existsSync(box.path(SUDO_LOG)));
    const log = readFileSync(box.path(SUDO_LOG), 'utf8');
    expect(log).toContain('1 incorrect password attempt');
    expect(log).not.toContain('incorrect password attempts');
  });
});
