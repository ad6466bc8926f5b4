import { ConnectError, type ErrorDetails } from '../core/errors.ts';
import type { HostAddress, Identity } from '../core/host.ts';

/** The shell's first word once the other identity is reached; nothing is sent before it. */
export const becomeReady = (nonce: string): string => `runner-ready-${nonce}`;
/** What sudo is told to ask with. */
export const becomePrompt = (nonce: string): string => `runner-password-${nonce}: `;

/**
 * Command that starts a shell as somebody else. A password is never among the words: it is written to standard
 * input when the program asks, and only then, so that it cannot end up as input of the shell.
 */
export function becomeCommand(
  { method, user = 'root', password }: Identity,
  nonce: string,
): string[] {
  const shell = `echo ${becomeReady(nonce)}; exec "$@"`;
  const words = ['/bin/sh', '-c', shell, 'sh'];
  switch (method) {
    case 'sudo':
      return password === undefined
        ? ['sudo', '-n', '-H', '-u', user, '--', ...words]
        : ['sudo', '-S', '-p', becomePrompt(nonce), '-H', '-u', user, '--', ...words];
    case 'su':
      // su takes one text for a shell; the words that follow are its arguments.
      return ['su', user, '-s', '/bin/sh', '-c', shell, '--', 'sh'];
    case 'doas':
      return ['doas', ...(password === undefined ? ['-n'] : []), '-u', user, '--', ...words];
  }
}

/** Whether the program asks for a password in what it said last. */
export function asksPassword(method: Identity['method'], said: string, nonce: string): boolean {
  if (method === 'sudo') return said.endsWith(becomePrompt(nonce));
  return /password:[ \r\n]*$/i.test(said);
}

/** doas asks for passwords on a terminal only; sudo wants one when it says so. */
export function needsTerminal({ method, password }: Identity): boolean {
  return method === 'doas' && password !== undefined;
}

/** The identity was not reached. */
export class BecomeError extends ConnectError {
  readonly refusal: Refusal;

  constructor(message: string, refusal: Refusal, details: ErrorDetails & { host: string }) {
    super(message, { ...details, stage: 'become', retryable: false });
    this.refusal = refusal;
  }
}

type Refusal =
  | 'wrong_password'
  | 'password_needed'
  | 'not_allowed'
  | 'terminal_needed'
  | 'locked'
  | 'unknown_user'
  | 'not_installed'
  | 'other';

/** Words of sudo 1.8–1.9, util-linux and shadow su, and OpenDoas, in the C locale. */
const refusals: { pattern: RegExp; refusal: Refusal }[] = [
  {
    pattern: /must have a tty|no tty present|a tty is required|must be run from a terminal/i,
    refusal: 'terminal_needed',
  },
  {
    pattern:
      /account (is locked|locked)|temporarily locked|account (has )?expired|password (is )?expired|account validation failure|currently not available/i,
    refusal: 'locked',
  },
  {
    pattern: /unknown user|invalid user|user .* does not exist|unknown id|no passwd entry/i,
    refusal: 'unknown_user',
  },
  {
    pattern:
      /not in the sudoers|not allowed to (execute|run)|may not run sudo|doas: operation not permitted/i,
    refusal: 'not_allowed',
  },
  {
    pattern:
      /a password is required|a terminal is required to read|no password was provided|auth\w+ required/i,
    refusal: 'password_needed',
  },
  {
    pattern: /sorry, try again|incorrect password|authentication fail/i,
    refusal: 'wrong_password',
  },
  { pattern: /not found|no such file|unknown command/i, refusal: 'not_installed' },
];

/** @param said what the program wrote before it gave up */
export function becomeError(
  host: HostAddress,
  login: string,
  { method, user = 'root', password }: Identity,
  { said, timedOut = false, asked }: { said: string; timedOut?: boolean; asked: number },
): BecomeError {
  const words = said
    .replaceAll(/runner-password-\w+: /g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-2)
    .join(' ');
  const refusal: Refusal =
    asked > 1
      ? 'wrong_password'
      : asked === 1 && password === undefined
        ? 'password_needed'
        : (refusals.find(({ pattern }) => pattern.test(said))?.refusal ?? 'other');
  const { reason, hint } = explain(refusal, { method, user, login, words, timedOut });
  return new BecomeError(
    `Cannot become "${user}" by ${method} on "${host.name}": ${reason}.`,
    refusal,
    { host: host.name, hint },
  );
}

function explain(
  refusal: Refusal,
  {
    method,
    user,
    login,
    words,
    timedOut,
  }: { method: Identity['method']; user: string; login: string; words: string; timedOut: boolean },
): { reason: string; hint: ErrorDetails['hint'] } {
  const quoted = words === '' ? '' : ` (${words.replace(/\.$/, '')})`;
  switch (refusal) {
    case 'wrong_password':
      return {
        reason: `the password is wrong${quoted}`,
        hint: 'It was tried once. Check --become-password-file.',
      };
    case 'password_needed':
      return {
        reason: `${method} asks for a password and none was given`,
        hint: `Give one with --become-password-file, or allow "${login}" to go without.`,
      };
    case 'not_allowed':
      return {
        reason: `user "${login}" may not${quoted}`,
        hint:
          method === 'doas'
            ? `Add to /etc/doas.conf: permit nopass ${login} as ${user}.`
            : `Add to sudoers (with visudo): ${login} ALL=(${user === 'root' ? 'ALL' : user}) ALL.`,
      };
    case 'terminal_needed':
      return {
        reason: `${method} wants a terminal${quoted}`,
        hint: `Remove "requiretty" for the user, with visudo: Defaults:${login} !requiretty.`,
      };
    case 'locked':
      return {
        reason: `the account is locked or expired${quoted}`,
        hint: 'See "faillock --user" and "chage -l" on the host.',
      };
    case 'unknown_user':
      return { reason: `there is no such user${quoted}`, hint: 'Correct "become_user".' };
    case 'not_installed':
      return {
        reason: `${method} is not installed${quoted}`,
        hint: 'Choose another "become_method", or log in as the user itself.',
      };
    case 'other':
      return {
        reason: timedOut
          ? `no answer${quoted}`
          : words.replace(/\.$/, '') || 'it ended without a word',
        hint: `Try it by hand on the host as "${login}".`,
      };
  }
}
