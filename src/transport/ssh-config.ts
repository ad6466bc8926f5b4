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

/** Keywords of ssh_config(5) in lower case, with the values that count, in order. */
export type SshConfigAnswer = ReadonlyMap<string, readonly string[]>;

export interface SshConfigQuestion {
  address: string;
  port: number | undefined;
  user: string | undefined;
  /** Words of the inventory. They are stronger than files of configuration, and may name another one. */
  sshArgs?: readonly string[];
}

/**
 * What ssh_config(5) says of a host, asked of `ssh -G`, which alone knows all of its rules. Without that program
 * there is no answer and the defaults of the inventory count.
 */
export class SshConfig {
  readonly #file: string | undefined;
  readonly #answers = new Map<string, Promise<SshConfigAnswer>>();
  readonly #limit = pLimit(QUERIES_AT_A_TIME);
  readonly #onlyGeneral: boolean;

  /** @param file instead of the user's own and the system's; "none" for no file at all */
  constructor(file?: string) {
    if (file !== undefined && file !== 'none' && !existsSync(file))
      throw new UsageError(`There is no ssh configuration "${file}".`);
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
    // One answer fits all hosts, but for what was asked itself; a process for each would cost more than connecting.
    const general = await this.#ask('', { address, port: undefined, user: undefined });
    return new Map([...general, ['hostname', [address]]]);
  }

  /** The files and lines that decided, as `ssh -v` tells them. */
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
          { hint: `Try: ssh -G ${address}. To go without it: --ssh-config none.`, cause: error },
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

/** Whether some lines are for some hosts only. When a file cannot be followed the answer is yes. */
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

/** Files of an Include with at most a star in its last part; undefined for anything harder. */
function includedFiles(pattern: string, folder: string): string[] | undefined {
  const path = expandHome(pattern);
  const full = isAbsolute(path) ? path : join(folder, path);
  if (/[*?[\]"$]/.test(dirname(full)) || /[?[\]"$]/.test(basename(full))) return undefined;
  if (!full.includes('*')) return [full];
  if (!existsSync(dirname(full))) return [];
  const [before = '', ...rest] = basename(full).split('*');
  if (rest.length !== 1) return undefined;
  return readdirSync(dirname(full))
    .filter((name) => name.startsWith(before) && name.endsWith(rest[0] ?? ''))
    .map((name) => join(dirname(full), name));
}
