import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { describePath, type HostPath } from '../core/host-path.ts';
import { quote, quoteAll } from '../util/shell.ts';
import { requireAnswer } from './answer.ts';

/** Status file of dpkg: the installed packages. */
export const DPKG_STATUS = '/var/lib/dpkg/status';

export interface AptPackage {
  /** Undefined if the package is not installed. */
  installed: string | undefined;
  /** The version that would be installed now; undefined if no repository has the package. */
  candidate: string | undefined;
}

const NO_APT = 'Use this module only on hosts with APT, such as Debian and Ubuntu.';

/** Versions of packages by name, from `apt-cache policy`. Names that APT does not know are absent. */
export const aptPackages: Fact<string[], ReadonlyMap<string, AptPackage>> = {
  name: 'apt.packages',
  command: (...names) => ({ script: `apt-cache policy -- ${quoteAll(names)}` }),
  parse(output) {
    requireAnswer(output, 'Cannot read the versions of packages from APT', NO_APT);
    const packages = new Map<string, AptPackage>();
    let name = '';
    for (const line of output.stdout.split('\n')) {
      const [, head] = /^(\S+):$/.exec(line) ?? [];
      if (head !== undefined) name = head;
      const [, field, value] = /^ {2}(Installed|Candidate): (.*)$/.exec(line) ?? [];
      if (field === undefined) continue;
      const known = packages.get(name) ?? { installed: undefined, candidate: undefined };
      const version = value === '(none)' ? undefined : value;
      packages.set(
        name,
        field === 'Installed' ? { ...known, installed: version } : { ...known, candidate: version },
      );
    }
    return packages;
  },
};

/** Name and version of the package in a file of the host. */
export const debFile: Fact<[path: string], { name: string; version: string }> = {
  name: 'apt.file',
  command: (path) => ({
    script: `dpkg-deb -f ${quote(path)} Package Version`,
  }),
  parse(output, path) {
    requireAnswer(output, `Cannot read the package "${path}" with dpkg-deb`, NO_APT);
    const [, name] = /^Package: (.+)$/m.exec(output.stdout) ?? [];
    const [, version] = /^Version: (.+)$/m.exec(output.stdout) ?? [];
    if (name === undefined || version === undefined)
      throw new TaskError(`"${path}" has no package name or version.`);
    return { name, version };
  },
};

/** Seconds since the package index was updated; undefined if it never was. */
export const aptIndexAge: Fact<[], number | undefined> = {
  name: 'apt.lists',
  command: () => ({
    script:
      'for f in /var/lib/apt/periodic/update-success-stamp /var/lib/apt/lists; do [ ! -e "$f" ] || echo $(($(date +%s) - $(stat -c %Y "$f"))); done | sort -n | head -n 1',
  }),
  parse({ stdout }) {
    const age = stdout.trim();
    return age === '' ? undefined : Number(age);
  },
};

/** Number of packages that an upgrade would change, from a simulation. */
export const aptUpgrades: Fact<[verb: string], number> = {
  name: 'apt.upgrades',
  command: (verb) => ({ script: `apt-get -s -q ${quote(verb)}` }),
  parse(output) {
    requireAnswer(output, 'Cannot simulate the upgrade with APT', NO_APT);
    return output.stdout.split('\n').filter((line) => /^(Inst|Remv) /.test(line)).length;
  },
};

/**
 * The difference between the installed packages and an earlier copy of dpkg's status file, as words for `apt-get
 * install`: `name=version` to restore a package, `name-` to remove one.
 */
export const aptDifference: Fact<[copy: HostPath, sum: string], string[]> = {
  name: 'apt.difference',
  command: (copy, sum) => ({
    // A step that never started made no copy; then the status file must be unchanged.
    script: `if [ ! -e "$1" ] && [ "$(sha256sum <${DPKG_STATUS})" = ${quote(`${sum}  -`)} ]; then echo; else test -r "$1" && awk -v native="$(dpkg --print-architecture)" '
      BEGIN { RS = ""; FS = "\\n" }
      {
        package = status = version = arch = ""
        for (i = 1; i <= NF; i++) {
          if ($i ~ /^Package: /) package = substr($i, 10)
          else if ($i ~ /^Status: /) status = $i
          else if ($i ~ /^Version: /) version = substr($i, 10)
          else if ($i ~ /^Architecture: /) arch = substr($i, 15)
        }
        if (status !~ / installed$/) next
        if (arch != "" && arch != "all" && arch != native) package = package ":" arch
        if (FILENAME == ARGV[1]) old[package] = version
        else now[package] = version
      }
      END {
        for (p in old) if (now[p] != old[p]) print p "=" old[p]
        for (p in now) if (!(p in old)) print p "-"
      }' "$1" ${DPKG_STATUS} | sort; fi`,
    paths: [copy],
  }),
  parse(output, copy) {
    requireAnswer(output, `Cannot compare the packages with ${describePath(copy)}`, NO_APT);
    return output.stdout.split('\n').filter((line) => line !== '');
  },
};
