import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import type { JsonObject } from '../core/json.ts';
import { quoteAll } from '../util/shell.ts';

/** All installed packages by name, in Ansible's format. A name may occur with several architectures. */
export const packageList: Fact<[], Record<string, JsonObject[]>> = {
  name: 'packages.all',
  command: () => ({
    script: `if command -v dpkg-query >/dev/null; then
echo apt; dpkg-query -W -f '\${db:Status-Abbrev}|\${Package}|\${Version}|\${Architecture}\\n'
elif command -v rpm >/dev/null; then
echo rpm; rpm -qa --qf 'ii |%{NAME}|%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}|%{ARCH}\\n'
elif command -v apk >/dev/null; then
echo apk; apk info -v | sed 's/^\\(.*\\)-\\([0-9][^-]*-r[0-9]*\\)$/ii |\\1|\\2|/'
else echo 'the host has neither dpkg, rpm nor apk' >&2; exit 1; fi`,
  }),
  parse({ code, stdout, stderr }) {
    if (code !== 0) throw new TaskError(`Cannot list the packages: ${stderr.trim()}.`);
    const [source = '', ...lines] = stdout.split('\n');
    const packages: Record<string, JsonObject[]> = {};
    for (const line of lines) {
      const [status = '', name = '', version = '', arch = ''] = line.split('|');
      if (status.startsWith('ii')) (packages[name] ??= []).push({ name, version, arch, source });
    }
    return packages;
  },
};

/** Exit codes of getent(1). */
const NO_DATABASE = 1;
const NO_KEY = 2;

/** Entries of a name database, such as passwd, by their first field; undefined if the key does not exist. */
export const nameEntries: Fact<[database: string, ...key: string[]], JsonObject | undefined> = {
  name: 'names.entries',
  command: (...words) => ({ script: quoteAll(['getent', '--', ...words]) }),
  parse({ code, stdout, stderr }, database) {
    if (code === NO_KEY) return undefined;
    if (code === NO_DATABASE)
      throw new TaskError(`getent has no database "${database}": ${stderr.trim()}`);
    if (code !== 0) throw new TaskError(`getent failed: ${stderr.trim()}`);
    const entries: JsonObject = {};
    for (const line of stdout.split('\n').filter((one) => one !== '')) {
      const [first = '', ...rest] =
        line.includes(':') && !NO_COLONS.has(database) ? line.split(':') : line.trim().split(/\s+/);
      // Of several entries with one name, the first one counts, as in a lookup by name.
      entries[first] ??= rest;
    }
    return entries;
  },
};

/** Databases with fields separated by whitespace, because addresses may contain colons. */
const NO_COLONS = new Set([
  'hosts',
  'ahosts',
  'ahostsv4',
  'ahostsv6',
  'networks',
  'services',
  'protocols',
  'rpc',
  'ethers',
  'netgroup',
]);
