import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import { UsageError } from '../core/errors.ts';
import { expandHome } from '../util/paths.ts';

const execute = promisify(execFile);
const QUERY_TIMEOUT_MS = 10_000;
const QUERIES_AT_A_TIME = 8;
const SYSTEM_CONFIG = '/etc/ssh/ssh_config';

/** Effective values of the ssh_config(5) keywords, which are in lower case. */
export type SshConfigAnswer = ReadonlyMap<string, readonly string[]>;

export interface SshConfigQuestion {
  address: string;
  port: number | undefined;
  user: string | undefined;
  /** Arguments from the inventory. They override configuration files and can name another file. */
  sshArgs?: readonly string[];
}

/**
 * Reads the ssh_config(5) settings of a host with `ssh -G`, which implements all of its rules. If ssh is not installed, there
 * are no settings and the defaults of the inventory apply.
 */
export class SshConfig {
  readonly #file: string | undefined;
  readonly #answers = new Map<string, Promise<SshConfigAnswer>>();
  readonly #limit = pLimit(QUERIES_AT_A_TIME);
  readonly #onlyGeneral: boolean;

  /** @param file replaces the files of the user and the system; "none" for no file */
  constructor(file?: string) {
    if (file !== undefined && file !== 'none' && !existsSync(file))
      throw new UsageError(`The ssh configuration "${file}" does not exist.`);
    this.#file = file;
    const files =
      file === undefined
        ? [join(homedir(), '.ssh', 'config'), SYSTEM_CONFIG]
        : file === 'none'
          ? []
          : [file];
    this.#onlyGeneral = !files.some((one) => hasHostRules(one));
  }

  /** Options of `ssh` that make it read the same configuration. */
  get options(): string[] {
    return this.#file === undefined ? [] : ['-F', this.#file];
  }

  async lookUp(question: SshConfigQuestion): Promise<SshConfigAnswer> {
    const { address, port, user, sshArgs = [] } = question;
    if (!this.#onlyGeneral || sshArgs.length > 0)
      return this.#ask(JSON.stringify([address, port, user, sshArgs]), question);
    // Without rules for single hosts, one query serves all hosts. A process for each would take longer than connecting.
    const general = await this.#ask('', { address, port: undefined, user: undefined });
    return new Map([...general, ['hostname', [address]]]);
  }

  /** The files and lines that were applied, as `ssh -v` prints them. */
  async explain({ address, ...login }: SshConfigQuestion): Promise<string[]> {
    const args = [...this.options, '-v', ...targetOptions(login), '-G', '--', address];
    const { stderr } = await execute('ssh', args, { timeout: QUERY_TIMEOUT_MS }).catch(() => ({
      stderr: '',
    }));
    return [
      ...new Set(
        stderr
          .split('\n')
          .map((line) => /^debug1: (\S+ line \d+: Applying options for .*)$/.exec(line.trim())?.[1])
          .filter((line) => line !== undefined),
      ),
    ];
  }

  #ask(key: string, { address, ...login }: SshConfigQuestion): Promise<SshConfigAnswer> {
    const known = this.#answers.get(key);
    if (known) return known;
    const asked = this.#limit(async (): Promise<SshConfigAnswer> => {
      const args = [...this.options, ...targetOptions(login), '-G', '--', address];
      try {
        const { stdout } = await execute('ssh', args, { timeout: QUERY_TIMEOUT_MS });
        return parseAnswer(stdout);
      } catch (error) {
        const failure = error as NodeJS.ErrnoException & { stderr?: string };
        if (failure.code === 'ENOENT') return new Map();
        throw new UsageError(
          `The ssh configuration cannot be read for "${address}": ${failure.stderr?.trim() ?? failure.message}`,
          { hint: `Run "ssh -G ${address}", or use --ssh-config none to ignore it.`, cause: error },
        );
      }
    });
    this.#answers.set(key, asked);
    return asked;
  }
}

function targetOptions({ port, user, sshArgs = [] }: Omit<SshConfigQuestion, 'address'>): string[] {
  return [
    ...sshArgs,
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', user]),
  ];
}

function parseAnswer(text: string): SshConfigAnswer {
  const answer = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, keyword, value] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (keyword === undefined || value === undefined) continue;
    answer.set(keyword, [...(answer.get(keyword) ?? []), value]);
  }
  return answer;
}

/** Whether a file has rules for single hosts. True also if an Include cannot be resolved. */
function hasHostRules(file: string, depth = 0): boolean {
  if (!existsSync(file)) return false;
  if (depth > 16) return true;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [keyword = '', ...values] = line.trim().split(/[\s=]+/);
    switch (keyword.toLowerCase()) {
      case 'match':
        return true;
      case 'host':
        if (values.length !== 1 || values[0] !== '*') return true;
        break;
      case 'include':
        for (const pattern of values) {
          const included = includedFiles(pattern, dirname(file));
          if (!included || included.some((one) => hasHostRules(one, depth + 1))) return true;
        }
        break;
      default:
        if (/%/.test(line) && !line.trim().startsWith('#')) return true;
    }
  }
  return false;
}

/** The files of an Include with at most one "*", in the file name; undefined for other patterns. */
function includedFiles(pattern: string, directory: string): string[] | undefined {
  const path = expandHome(pattern);
  const full = isAbsolute(path) ? path : join(directory, path);
  if (/[*?[\]"$]/.test(dirname(full)) || /[?[\]"$]/.test(basename(full))) return undefined;
  if (!full.includes('*')) return [full];
  if (!existsSync(dirname(full))) return [];
  const [before = '', ...rest] = basename(full).split('*');
  if (rest.length !== 1) return undefined;
  return readdirSync(dirname(full))
    .filter((name) => name.startsWith(before) && name.endsWith(rest[0] ?? ''))
    .map((name) => join(dirname(full), name));
}
