import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';

/** Programs that some tests need beyond Node.js, with the Debian package of each. */
export const packages = {
  busybox: 'busybox',
  createrepo_c: 'createrepo-c',
  curl: 'curl',
  dnf: 'dnf',
  doas: 'opendoas',
  fish: 'fish',
  git: 'git',
  groupadd: 'passwd',
  ip: 'iproute2',
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

/** Such as "[needs zip: Debian package zip]", which the reporter repeats for skipped tests. Undefined when all are here. */
function missing(programs: readonly Program[]): string | undefined {
  const absent = programs.filter((program) => !has(program));
  if (absent.length === 0) return undefined;
  const names = [...new Set(absent.map((program) => packages[program]))];
  const word = names.length === 1 ? 'package' : 'packages';
  return `[needs ${absent.join(', ')}: Debian ${word} ${names.join(', ')}]`;
}

/** `it` where the programs are installed; elsewhere the test is skipped and its title names their packages. */
export function itWith(
  ...programs: Program[]
): (title: string, test: () => unknown, ms?: number) => void {
  const note = missing(programs);
  return (title, test, ms) => {
    if (note === undefined) it(title, test, ms);
    else it.skip(`${title} ${note}`, test, ms);
  };
}

/** `describe` where the programs are installed; elsewhere its tests are skipped, as with `itWith`. */
export function describeWith(...programs: Program[]): (title: string, tests: () => void) => void {
  const note = missing(programs);
  return (title, tests) => {
    if (note === undefined) describe(title, tests);
    else describe.skip(`${title} ${note}`, tests);
  };
}
