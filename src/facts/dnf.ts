import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { quoteAll } from '../util/shell.ts';
import { requireAnswer } from './answer.ts';

/** The package manager that is installed on the host. */
export const packageManager: Fact<[], 'apt' | 'dnf'> = {
  name: 'packages.manager',
  command: () => ({
    script:
      'for p in apt-get dnf yum apk zypper pacman; do if command -v $p >/dev/null; then echo $p; break; fi; done',
  }),
  parse({ stdout }) {
    const program = stdout.trim();
    if (program === 'apt-get') return 'apt';
    if (program === 'dnf' || program === 'yum') return 'dnf';
    throw new TaskError(
      program === ''
        ? 'The host has no known package manager.'
        : `The package manager "${program}" is not supported, only APT and DNF are.`,
      { hint: 'Use "command" with an undo.' },
    );
  },
};

export interface RpmPackage {
  /** The installed package that matches, as NAME-VERSION-RELEASE; undefined if none does. */
  installed: string | undefined;
  /** The installed package of that name, if it is newer than the requested version. */
  newer: string | undefined;
}

const NO_DNF = 'Use this module only on hosts with DNF, such as RHEL and Fedora.';

/**
 * Installed packages for words that are NAME, NAME-VERSION, NAME-VERSION-RELEASE, or something that a package provides.
 * Words must not contain quotes or percent signs.
 */
export const rpmPackages: Fact<string[], ReadonlyMap<string, RpmPackage>> = {
  name: 'dnf.packages',
  command: (...words) => ({
    script: `command -v rpm >/dev/null || exit 127; for s in ${quoteAll(words)}; do
  if i=$(rpm -q --qf '%{NAME}-%{VERSION}-%{RELEASE}\\n' -- "$s" 2>/dev/null) || i=$(rpm -q --whatprovides --qf '%{NAME}-%{VERSION}-%{RELEASE}\\n' -- "$s" 2>/dev/null); then
    printf '%s|%s|\\n' "$s" "\${i%%[!A-Za-z0-9._+:~^-]*}"
  else
    n=$s; o=
    while [ -z "$o" ]; do
      case $n in *-*) n=\${n%-*} ;; *) break ;; esac
      if v=$(rpm -q --qf '%{VERSION}' -- "$n" 2>/dev/null); then
        w=\${s#"$n"-}; w=\${w%%-*}
        if [ "$(rpm --eval "%{lua:print(rpm.vercmp('$v','$w'))}")" = 1 ]; then o=$n-$v; else break; fi
      fi
    done
    printf '%s||%s\\n' "$s" "$o"
  fi
done`,
  }),
  parse(output) {
    requireAnswer(output, 'Cannot read the installed packages from RPM', NO_DNF);
    const lines = output.stdout.split('\n').filter((line) => line !== '');
    return new Map(
      lines.map((line) => {
        const [word = '', installed = '', newer = ''] = line.split('|');
        return [word, { installed: installed || undefined, newer: newer || undefined }] as const;
      }),
    );
  },
};

/** Whether the named packages, or any, have an update. DNF reports one with exit code 100. */
export const dnfUpdates: Fact<string[], boolean> = {
  name: 'dnf.updates',
  command: (...words) => ({ script: `dnf -q check-update ${quoteAll(words)}` }),
  parse(output) {
    if (output.code === 100) return true;
    requireAnswer(output, 'Cannot check for updates with DNF', NO_DNF);
    return false;
  },
};

export interface RpmState {
  /** SHA-256 over the names and versions of all packages. */
  checksum: string;
  /** The last transaction of DNF; 0 if there is none. */
  transaction: number;
}

/** A checksum over the installed packages, and the last transaction in the history of DNF. */
export const rpmState: Fact<[], RpmState> = {
  name: 'dnf.state',
  command: () => ({
    script:
      "rpm -qa --qf '%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} %{ARCH}\\n' | sort | sha256sum && dnf -q history list 2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $1; exit }'",
  }),
  parse(output) {
    requireAnswer(output, 'Cannot list the packages of the host', NO_DNF);
    const [sum = '', last = ''] = output.stdout.split('\n');
    return { checksum: sum.split(' ')[0] ?? '', transaction: Number(last || 0) };
  },
};
