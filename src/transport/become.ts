import { ConnectError, type ErrorDetails } from '../core/errors.ts';
import type { HostAddress, Identity } from '../core/host.ts';

/** The shell prints this line when it runs as the other user. Nothing is sent before it. */
export const becomeReady = (nonce: string): string => `runner-ready-${nonce}`;
/** The prompt that sudo is configured to use. */
export const becomePrompt = (nonce: string): string => `runner-password-${nonce}: `;

/**
 * The command that starts a shell as another user. The password is not an argument: it is written to standard input only when
 * the program prompts for it, so that the shell cannot read it as a command.
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
      // su accepts one command string; the other words become its arguments.
      return ['su', user, '-s', '/bin/sh', '-c', shell, '--', 'sh'];
    case 'doas':
      return ['doas', ...(password === undefined ? ['-n'] : []), '-u', user, '--', ...words];
  }
}

/** Whether the last output of the program is a password prompt. */
export function isPasswordPrompt(
  method: Identity['method'],
  output: string,
  nonce: string,
): boolean {
  if (method === 'sudo') return output.endsWith(becomePrompt(nonce));
  return /password:[ \r\n]*$/i.test(output);
}

/** Whether a terminal is needed: doas prompts only on a terminal. For sudo, its error message shows that it needs one. */
export function needsTerminal({ method, password }: Identity): boolean {
  return method === 'doas' && password !== undefined;
}

/** Privilege escalation failed. */
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

/** Messages of sudo 1.8–1.9, su from util-linux and shadow, and OpenDoas, in the C locale. */
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

/** @param output what the program printed before it failed */
export function becomeError(
  host: HostAddress,
  login: string,
  { method, user = 'root', password }: Identity,
  { output, timedOut = false, prompts }: { output: string; timedOut?: boolean; prompts: number },
): BecomeError {
  const words = output
    .replaceAll(/runner-password-\w+: /g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-2)
    .join(' ');
  const refusal: Refusal =
    prompts > 1
      ? 'wrong_password'
      : prompts === 1 && password === undefined
        ? 'password_needed'
        : (refusals.find(({ pattern }) => pattern.test(output))?.refusal ?? 'other');
  const { reason, hint } = explain(refusal, { method, user, login, words, timedOut });
  return new BecomeError(
    `Cannot become "${user}" with ${method} on "${host.name}": ${reason}.`,
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
        hint: 'Check --become-password-file. runner tries a password only once.',
      };
    case 'password_needed':
      return {
        reason: `${method} requires a password, and none was provided`,
        hint: `Use --become-password-file, or allow "${login}" to use ${method} without a password.`,
      };
    case 'not_allowed':
      return {
        reason: `user "${login}" is not allowed to${quoted}`,
        hint:
          method === 'doas'
            ? `Add "permit nopass ${login} as ${user}" to /etc/doas.conf.`
            : `Add "${login} ALL=(${user === 'root' ? 'ALL' : user}) ALL" to sudoers with visudo.`,
      };
    case 'terminal_needed':
      return {
        reason: `${method} requires a terminal${quoted}`,
        hint: `Add "Defaults:${login} !requiretty" to sudoers with visudo.`,
      };
    case 'locked':
      return {
        reason: `the account is locked or expired${quoted}`,
        hint: 'Check "faillock --user" and "chage -l" on the host.',
      };
    case 'unknown_user':
      return { reason: `the user does not exist${quoted}`, hint: 'Correct "become_user".' };
    case 'not_installed':
      return {
        reason: `${method} is not installed${quoted}`,
        hint: 'Use another "become_method", or log in as that user.',
      };
    case 'other':
      return {
        reason: timedOut
          ? `no answer${quoted}`
          : words.replace(/\.$/, '') || `${method} ended without output`,
        hint: `Run ${method} by hand on the host as "${login}".`,
      };
  }
}
