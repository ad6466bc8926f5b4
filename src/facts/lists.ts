import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import type { JsonObject } from '../core/json.ts';
import { quoteAll } from '../util/shell.ts';

/** All packages that are installed, by name, as Ansible tells them; one name may be there for several architectures. */
export const packageList: Fact<[], Record<string, JsonObject[]>> = {
  name: 'packages.all',
  command: () => ({
    script: `if command -v dpkg-query >/dev/null; then
echo apt; dpkg-query -W -f '\${db:Status-Abbrev}|\${Package}|\${Version}|\${Architecture}\\n'
elif command -v rpm >/dev/null; then
echo rpm; rpm -qa --qf 'ii |%{NAME}|%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}|%{ARCH}\\n'
elif command -v apk >/dev/null; then
echo apk; apk info -v | sed 's/^\\(.*\\)-\\([0-9][^-]*-r[0-9]*\\)$/ii |\\1|\\2|/'
else echo 'neither dpkg, rpm nor apk is there' >&2; exit 1; fi`,
  }),
  parse({ code, stdout, stderr }) {
    if (code !== 0) throw new TaskError(`The packages cannot be listed: ${stderr.trim()}.`);
    const [source = '', ...lines] = stdout.split('\n');
    const packages: Record<string, JsonObject[]> = {};
    for (const line of lines) {
      const [status = '', name = '', version = '', arch = ''] = line.split('|');
      if (status.startsWith('ii')) (packages[name] ??= []).push({ name, version, arch, source });
    }
    return packages;
  },
};

/** Codes of getent(1). */
const NO_DATABASE = 1;
const NO_KEY = 2;

/** Entries of a database of names, such as passwd, by their first field; undefined when a key is not there. */
export const nameEntries: Fact<[database: string, ...key: string[]], JsonObject | undefined> = {
  name: 'names.entries',
  command: (...words) => ({ script: quoteAll(['getent', '--', ...words]) }),
  parse({ code, stdout, stderr }, database) {
    if (code === NO_KEY) return undefined;
    if (code === NO_DATABASE)
      throw new TaskError(`getent knows no database "${database}": ${stderr.trim()}`);
    if (code !== 0) throw new TaskError(`getent cannot be asked: ${stderr.trim()}`);
    const entries: JsonObject = {};
    for (const line of stdout.split('\n').filter((one) => one !== '')) {
      const [first = '', ...rest] =
        line.includes(':') && !NO_COLONS.has(database) ? line.split(':') : line.trim().split(/\s+/);
      // Of several entries with one name the first counts, as for who asks for it.
      entries[first] ??= rest;
    }
    return entries;
  },
};

/** Databases whose fields are parted by blanks; an address may have a colon in it. */
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
