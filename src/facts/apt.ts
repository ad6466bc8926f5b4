import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { describePath, type HostPath } from '../core/host-path.ts';
import { quote, quoteAll } from '../util/shell.ts';
import { requireAnswer } from './answer.ts';

/** Where dpkg keeps what is installed. */
export const DPKG_STATUS = '/var/lib/dpkg/status';

export interface AptPackage {
  /** Undefined when it is not installed. */
  installed: string | undefined;
  /** What would be installed now; undefined when no source has it. */
  candidate: string | undefined;
}

const NO_APT = 'This module is for hosts with APT, such as Debian and Ubuntu.';

/** Versions of packages, one map for all names: from `apt-cache policy`. Names that APT does not know are absent. */
export const aptPackages: Fact<string[], ReadonlyMap<string, AptPackage>> = {
  name: 'apt.packages',
  command: (...names) => ({ script: `apt-cache policy -- ${quoteAll(names)}` }),
  parse(output) {
    requireAnswer(output, 'APT does not say which versions there are', NO_APT);
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
    requireAnswer(output, `"${path}" is no package that dpkg reads`, NO_APT);
    const [, name] = /^Package: (.+)$/m.exec(output.stdout) ?? [];
    const [, version] = /^Version: (.+)$/m.exec(output.stdout) ?? [];
    if (name === undefined || version === undefined)
      throw new TaskError(`"${path}" does not say which package it is.`);
    return { name, version };
  },
};

/** Seconds since the lists of packages were read anew; undefined when they never were. */
export const aptListsAge: Fact<[], number | undefined> = {
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

/** How many packages an upgrade would touch, from a simulation. */
export const aptUpgrades: Fact<[verb: string], number> = {
  name: 'apt.upgrades',
  command: (verb) => ({ script: `apt-get -s -q ${quote(verb)}` }),
  parse(output) {
    requireAnswer(output, 'APT cannot tell what it would upgrade', NO_APT);
    return output.stdout.split('\n').filter((line) => /^(Inst|Remv) /.test(line)).length;
  },
};

/**
 * What stands between the packages now and those of an earlier copy of dpkg's status file, as words for `apt-get
 * install`: `name=version` for one to bring back, `name-` for one to take away.
 */
export const aptDifference: Fact<[copy: HostPath, sum: string], string[]> = {
  name: 'apt.difference',
  command: (copy, sum) => ({
    // A step that never began has taken no copy; then all must be as it was.
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
    requireAnswer(output, `The packages cannot be compared with ${describePath(copy)}`, NO_APT);
    return output.stdout.split('\n').filter((line) => line !== '');
  },
};
