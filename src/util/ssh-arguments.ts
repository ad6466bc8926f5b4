import { keyFile } from './key-file.ts';

/** Options for ssh(1) from an inventory, parsed by the rules of its command line. */
export interface SshArguments {
  /** The options for reaching a host, each as one or two separate words. */
  args: string[];
  /** Options that are ignored, each with the reason. */
  notes: SshNote[];
  /** Why the options cannot be used. */
  problem?: string;
  /** Whether an option is supported by the system's ssh only. */
  needsOpenSsh: boolean;
}

export interface SshNote {
  option: string;
  hint: string;
}

const FLAGS = '46AaCfGgKkMNnqsTtVvXxYy';
const WITH_VALUE = 'BbcDEeFIiJLlmOopQRSWw';
/** Flags that make ssh do something other than connect. */
const REFUSED = 'fGNOQsVWn';
/** Flags for interactive use: terminal, log, connection sharing. */
const UNNEEDED = 'CMqTtvSEey';
/** Flags without a counterpart in our own client. */
const OPENSSH_ONLY = 'bBcIm46AKkDLRwXYxag';

/** Keywords that our own client supports, through `ssh -G`. */
const FOLLOWED = new Set(
  'hostname port user identityfile identitiesonly identityagent certificatefile proxyjump proxycommand hostkeyalias userknownhostsfile globalknownhostsfile hashknownhosts serveraliveinterval serveralivecountmax connecttimeout'.split(
    ' ',
  ),
);
/** Keywords without effect: runner controls connection sharing, terminal, log, attempts and the order of keys and passwords itself. */
const OURS = new Set(
  'controlmaster controlpath controlpersist batchmode requesttty remotecommand permitlocalcommand localcommand sessiontype stdinnull forkafterauthentication loglevel compression tcpkeepalive connectionattempts numberofpasswordprompts preferredauthentications passwordauthentication kbdinteractiveauthentication pubkeyauthentication checkhostip visualhostkey updatehostkeys addkeystoagent escapechar ipqos'.split(
    ' ',
  ),
);

/** @param file the file of the options; relative paths are relative to it */
export function readSshArguments(words: readonly string[], file: string): SshArguments {
  const reading: SshArguments = { args: [], notes: [], needsOpenSsh: false };
  const rest = [...words];
  while (rest.length > 0 && reading.problem === undefined) {
    const word = rest.shift() ?? '';
    if (!/^-[^-]/.test(word)) reading.problem = `"${word}" is not an option of ssh`;
    else readCluster(word.slice(1), rest, { reading, file });
  }
  return reading;
}

/** `-qC`, `-oName=value`, `-o Name=value`. */
function readCluster(
  cluster: string,
  rest: string[],
  { reading, file }: { reading: SshArguments; file: string },
): void {
  for (let index = 0; index < cluster.length; index++) {
    const letter = cluster[index] ?? '';
    if (REFUSED.includes(letter)) {
      reading.problem = `"-${letter}" of ssh is not supported for connections of runner`;
      return;
    }
    if (FLAGS.includes(letter)) {
      take(letter, undefined, { reading, file });
      continue;
    }
    if (!WITH_VALUE.includes(letter)) {
      reading.problem = `"-${letter}" is not an option of ssh`;
      return;
    }
    const value = cluster.slice(index + 1) || rest.shift();
    if (value === undefined) reading.problem = `"-${letter}" of ssh takes a value`;
    else take(letter, value, { reading, file });
    return;
  }
}

function take(
  letter: string,
  value: string | undefined,
  { reading, file }: { reading: SshArguments; file: string },
): void {
  if (UNNEEDED.includes(letter)) return;
  if (letter === 'o') {
    takeOption(value ?? '', { reading, file });
    return;
  }
  if (OPENSSH_ONLY.includes(letter)) reading.needsOpenSsh = true;
  const isPath = letter === 'F' || letter === 'i';
  const words = value === undefined ? [] : [isPath ? pathOf(value, file) : value];
  reading.args.push(`-${letter}`, ...words);
}

function takeOption(
  setting: string,
  { reading, file }: { reading: SshArguments; file: string },
): void {
  const [, name = '', value = ''] = /^\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*)$/s.exec(setting) ?? [];
  const keyword = name.toLowerCase();
  if (keyword === '' || value === '') {
    reading.problem = `"-o ${setting}" is not Name=value`;
    return;
  }
  if (OURS.has(keyword)) return;
  if (keyword === 'stricthostkeychecking') {
    if (!/^(yes|true)$/i.test(value)) reading.notes.push({ option: name, hint: ALWAYS_CHECKED });
    return;
  }
  if (
    /^(user|global)knownhostsfile$/.test(keyword) &&
    /^\s*("?)(\/dev\/null|none)\1\s*$/.test(value)
  ) {
    reading.notes.push({ option: `${name}=${value}`, hint: ALWAYS_CHECKED });
    return;
  }
  if (!FOLLOWED.has(keyword)) reading.needsOpenSsh = true;
  reading.args.push('-o', `${name}=${PATHS.test(keyword) ? pathsOf(value, file) : value}`);
}

const PATHS = /^(identityfile|certificatefile|(user|global)knownhostsfile)$/;

/** One value can name several files of host keys. */
function pathsOf(value: string, file: string): string {
  return /["']/.test(value)
    ? value
    : value
        .split(/\s+/)
        .map((path) => pathOf(path, file))
        .join(' ');
}

/** Note on an inventory that disables the check of host keys. */
export const ALWAYS_CHECKED =
  'Host keys are always checked. Store the keys of new hosts with: runner trust.';

function pathOf(path: string, file: string): string {
  return path === 'none' || /[%$]/.test(path) ? path : (keyFile(path, file) ?? path);
}

/** The options that also apply to the jump hosts of a host, as in ssh: its configuration file. */
export function argumentsForJumps(args: readonly string[]): string[] {
  const at = args.lastIndexOf('-F');
  return at === -1 ? [] : args.slice(at, at + 2);
}
