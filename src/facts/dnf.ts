import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { quoteAll } from '../util/shell.ts';
import { requireAnswer } from './answer.ts';

/** Program that manages packages on a host, by what is there. */
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
        ? 'There is no manager of packages on the host.'
        : `Packages of "${program}" cannot be managed yet, only those of APT and DNF.`,
      { hint: 'Use "command", with an undo.' },
    );
  },
};

export interface RpmPackage {
  /** What is installed and fits, as NAME-VERSION-RELEASE; undefined when nothing does. */
  installed: string | undefined;
  /** Installed under that name, but newer than the version that is asked for. */
  newer: string | undefined;
}

const NO_DNF = 'This module is for hosts with DNF, such as RHEL and Fedora.';

/**
 * What is installed of packages, each asked for as NAME, NAME-VERSION or NAME-VERSION-RELEASE, or as what it provides.
 * Words must not hold quotes or percent signs.
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
    requireAnswer(output, 'RPM does not say which packages there are', NO_DNF);
    const lines = output.stdout.split('\n').filter((line) => line !== '');
    return new Map(
      lines.map((line) => {
        const [word = '', installed = '', newer = ''] = line.split('|');
        return [word, { installed: installed || undefined, newer: newer || undefined }] as const;
      }),
    );
  },
};

/** How many packages have an update, of those named or of all. DNF says so with the code 100. */
export const dnfUpdates: Fact<string[], boolean> = {
  name: 'dnf.updates',
  command: (...words) => ({ script: `dnf -q check-update ${quoteAll(words)}` }),
  parse(output) {
    if (output.code === 100) return true;
    requireAnswer(output, 'DNF cannot tell which updates there are', NO_DNF);
    return false;
  },
};

export interface RpmState {
  /** SHA-256 over the names and versions of all packages. */
  checksum: string;
  /** The last transaction of DNF; 0 when there was none. */
  transaction: number;
}

/** Which packages are installed, in short, and where DNF's own history stands. */
export const rpmState: Fact<[], RpmState> = {
  name: 'dnf.state',
  command: () => ({
    script:
      "rpm -qa --qf '%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} %{ARCH}\\n' | sort | sha256sum && dnf -q history list 2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $1; exit }'",
  }),
  parse(output) {
    requireAnswer(output, 'The packages of the host cannot be listed', NO_DNF);
    const [sum = '', last = ''] = output.stdout.split('\n');
    return { checksum: sum.split(' ')[0] ?? '', transaction: Number(last || 0) };
  },
};
