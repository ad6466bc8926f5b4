import { TaskError } from '../core/errors.ts';
import type { CommandOutput, Fact } from '../core/fact.ts';
import { quote } from '../util/shell.ts';

/** Files with users and groups; the tools often change several of them together. */
export const ACCOUNT_FILES = [
  '/etc/passwd',
  '/etc/group',
  '/etc/shadow',
  '/etc/gshadow',
  '/etc/subuid',
  '/etc/subgid',
];

export interface GroupEntry {
  gid: number;
  members: string[];
}

export interface UserEntry {
  uid: number;
  /** ID of the primary group. */
  gid: number;
  comment: string;
  home: string;
  shell: string;
  /** Names of all groups, the primary one first. */
  groups: string[];
}

/** Looks a name up with `getent`, or in the files on a host without it. */
const ENTRY =
  'entry() { if command -v getent >/dev/null; then getent "$1" "$2"; [ $? -le 2 ]; else grep "^$2:" "/etc/$1"; [ $? -le 1 ]; fi; }';

function refuse({ code, stderr }: CommandOutput, what: string): void {
  if (code !== 0)
    throw new TaskError(`Cannot look up ${what}: ${stderr.trim() || `exit code ${String(code)}`}`);
}

/** A group; undefined if there is none of that name. */
export const groupEntry: Fact<[name: string], GroupEntry | undefined> = {
  name: 'account.group',
  command: (name) => ({ script: `${ENTRY}\nentry group ${quote(name)}` }),
  parse(output, name) {
    refuse(output, `the group "${name}"`);
    const [found, , gid, members = ''] = (output.stdout.split('\n')[0] ?? '').split(':');
    if (found !== name) return undefined;
    return { gid: Number(gid), members: members.split(',').filter((one) => one !== '') };
  },
};

/** A user; undefined if there is none of that name. */
export const userEntry: Fact<[name: string], UserEntry | undefined> = {
  name: 'account.user',
  command: (name) => ({
    script: `${ENTRY}\nentry passwd ${quote(name)} && { id -Gn -- ${quote(name)} 2>/dev/null || :; }`,
  }),
  parse(output, name) {
    refuse(output, `the user "${name}"`);
    const [line = '', groups = ''] = output.stdout.split('\n');
    const [found, , uid, gid, comment = '', home = '', shell = ''] = line.split(':');
    if (found !== name) return undefined;
    return {
      uid: Number(uid),
      gid: Number(gid),
      comment,
      home,
      shell,
      groups: groups.split(' ').filter((one) => one !== ''),
    };
  },
};

export interface PasswordState {
  /** Whether the hash is the wanted one. The hash itself stays on the host. */
  same: boolean;
  locked: boolean;
  /** Days since 1970 after which the account expires; undefined for never. */
  expires: number | undefined;
}

/** State of a password in the shadow file, which only root may read. */
export const passwordState: Fact<[name: string, hash: string], PasswordState> = {
  name: 'account.password',
  command: (name, hash) => ({
    script: `[ -r /etc/shadow ] && while IFS=: read -r n h a b c d e x f; do if [ "$n" = ${quote(name)} ]; then w=${quote(hash)}; [ "\${h#!}" = "$w" ] && echo same || echo other; case $h in !*) echo locked ;; *) echo open ;; esac; echo "$x"; fi; done </etc/shadow`,
  }),
  parse(output, name) {
    if (output.code !== 0)
      throw new TaskError(`Cannot read the password of "${name}" from /etc/shadow.`, {
        hint: 'Set "become: true", because only root may read it.',
      });
    const [same, locked, expires = ''] = output.stdout.split('\n');
    return {
      same: same === 'same',
      locked: locked === 'locked',
      expires: expires === '' ? undefined : Number(expires),
    };
  },
};

/** Which family of programs manages accounts: those of shadow, or the smaller ones of busybox. */
export const accountTools: Fact<[], 'shadow' | 'busybox'> = {
  name: 'account.tools',
  command: () => ({
    script:
      'if command -v useradd >/dev/null; then echo shadow; elif command -v adduser >/dev/null; then echo busybox; fi',
  }),
  parse({ stdout }) {
    const tools = stdout.trim();
    if (tools === 'shadow' || tools === 'busybox') return tools;
    throw new TaskError('The host has neither "useradd" nor "adduser".');
  },
};
