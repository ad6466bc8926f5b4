import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';

/** Programs that some tests need besides Node.js, with the Debian package of each. */
export const packages = {
  age: 'age',
  bash: 'bash',
  busybox: 'busybox',
  createrepo_c: 'createrepo-c',
  curl: 'curl',
  dash: 'dash',
  dnf: 'dnf',
  doas: 'opendoas',
  fish: 'fish',
  flock: 'util-linux',
  git: 'git',
  groupadd: 'passwd',
  ip: 'iproute2',
  iptables: 'iptables',
  mmdebstrap: 'mmdebstrap',
  openssl: 'openssl',
  pgrep: 'procps',
  ps: 'procps',
  rpmbuild: 'rpm',
  script: 'bsdutils',
  shellcheck: 'shellcheck',
  ssh: 'openssh-client',
  sshd: 'openssh-server',
  sudo: 'sudo',
  tcsh: 'tcsh',
  unzip: 'unzip',
  xz: 'xz-utils',
  zip: 'zip',
  zsh: 'zsh',
} as const;

export type Program = keyof typeof packages;

/** What a test can require of the machine: programs, or root privileges. */
export type Need = Program | 'root';

const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];

export function has(program: Program): boolean {
  return directories.some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Such as "[needs zip: Debian package zip]", which the reporter repeats for skipped tests.
 * Undefined if nothing is missing.
 */
function missing(needs: readonly Need[]): string | undefined {
  if (needs.includes('root') && process.getuid?.() !== 0) return '[needs root]';
  const absent = needs.filter((need) => need !== 'root').filter((program) => !has(program));
  if (absent.length === 0) return undefined;
  const names = [...new Set(absent.map((program) => packages[program]))];
  const word = names.length === 1 ? 'package' : 'packages';
  return `[needs ${absent.join(', ')}: Debian ${word} ${names.join(', ')}]`;
}

/**
 * `it` if the needs are met; otherwise the test is skipped, and its title names the missing
 * packages.
 */
export function itWith(
  ...needs: Need[]
): (title: string, test: () => unknown, ms?: number) => void {
  const note = missing(needs);
  return (title, test, ms) => {
    if (note === undefined) it(title, test, ms);
    else it.skip(`${title} ${note}`, test, ms);
  };
}

/** `describe` if the needs are met; otherwise its tests are skipped, like with `itWith`. */
export function describeWith(...needs: Need[]): (title: string, tests: () => void) => void {
  const note = missing(needs);
  return (title, tests) => {
    if (note === undefined) describe(title, tests);
    else describe.skip(`${title} ${note}`, tests);
  };
}
