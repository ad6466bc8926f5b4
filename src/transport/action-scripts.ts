import { TaskError } from '../core/errors.ts';
import type {
  Action,
  CopyAction,
  DownloadAction,
  ExecAction,
  UploadAction,
  WriteAction,
} from '../core/action.ts';
import { quote, quoteAll } from '../util/shell.ts';
import { pathWord } from './copies.ts';

/** An action that runs as a shell script on its host. */
export type ShellAction = Exclude<Action, { kind: 'http' | 'reboot' }>;

export interface ActionOptions {
  /** ID of the run whose copies an action can use. */
  run: string;
  /** Run it in a separate process, see `detached` in scripts.ts. */
  detach?: boolean;
}

/** The script of an action. All values from playbooks are quoted. */
export function actionScript(action: ShellAction, { run, detach = false }: ActionOptions): string {
  switch (action.kind) {
    case 'exec':
      return execScript(action, detach);
    case 'write':
      return writeScript(action);
    case 'upload':
      return uploadScript(action);
    case 'download':
      return downloadScript(action);
    case 'fetch':
      return `cat ${quote(action.path)} </dev/null`;
    case 'mkdir':
      return `mkdir -p ${quote(action.path)}`;
    case 'remove':
      return `rn_remove_tree ${quote(action.path)}`;
    case 'symlink':
      return `ln -sfn ${quoteAll([action.target, action.path])}`;
    case 'copy':
      return copyScript(action, run);
    case 'chmod':
      return `chmod ${action.recurse ? '-R ' : ''}-- ${quoteAll([modeWord(action.mode), action.path])}`;
    case 'chown': {
      const who = `${action.owner ?? ''}${action.group ? `:${action.group}` : ''}`;
      return `chown -h ${action.recurse ? '-R ' : ''}${quoteAll([who, action.path])}`;
    }
  }
}

/** Five digits also clear the set-ID bits of directories, which GNU chmod keeps with four. */
function modeWord(mode: string): string {
  return /^[0-7]+$/.test(mode) ? mode.padStart(5, '0') : mode;
}

/**
 * Runs the program with `exec` in a subshell, so that it needs only one process. It cannot see or change functions and
 * variables of the session shell. Shell built-ins such as `cd` and `exit` do not run.
 */
function execScript({ argv, cwd, env = {}, stdin }: ExecAction, detach: boolean): string {
  const steps = [
    ...(cwd === undefined ? [] : [`cd ${quote(cwd)} || exit 1`]),
    ...Object.entries(env).map(([name, value]) => `export ${variableName(name)}=${quote(value)}`),
    `exec ${detach ? '$rn_setsid ' : ''}${quoteAll(programWords(argv))}`,
  ];
  const program = `(${steps.join('; ')})`;
  if (stdin === undefined) return `${program} </dev/null`;
  return `printf %s ${quote(stdin)} | ${program}`;
}

/** @throws TaskError if the shell would not parse the name as that of a variable */
function variableName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  throw new TaskError(`"${name}" is not a valid name for an environment variable.`, {
    hint: 'Use letters, digits and "_".',
  });
}

/** Prefixes `env --` if the program name begins with "-", which some shells treat as an option of `exec`. */
export function programWords(argv: readonly string[]): readonly string[] {
  return argv[0]?.startsWith('-') ? ['env', '--', ...argv] : argv;
}

function writeScript(action: WriteAction): string {
  const content = `printf %s ${quote(action.content)}`;
  const source = action.encoding === 'base64' ? `${content} | base64 -d` : content;
  return placed(action, `${source} >${quote(temporaryOf(action))}`);
}

function uploadScript(action: UploadAction): string {
  const words = [temporaryOf(action), String(action.size), action.checksum];
  return `{ rn_receive ${quoteAll(words)}${publishing(action)}; }`;
}

function copyScript(action: CopyAction, run: string): string {
  const from = pathWord(action.from, run);
  if (!action.contentOnly)
    return `rn_remove_tree ${quote(action.path)} && cp -a ${from} ${quote(action.path)}`;
  return placed(action, `cat <${from} >${quote(temporaryOf(action))}`);
}

/** curl reads the request from standard input, so that other users cannot see it. */
function downloadScript(action: DownloadAction): string {
  const { url, timeoutSeconds, checksum, headers = {}, login, insecure = false } = action;
  const temporary = quote(temporaryOf(action));
  const lines = [
    `url = ${curlQuote(url)}`,
    ...Object.entries(headers).map(([name, value]) => `header = ${curlQuote(`${name}: ${value}`)}`),
    ...(login ? [`user = ${curlQuote(`${login.user}:${login.password}`)}`] : []),
    ...(insecure ? ['insecure'] : []),
  ].join('\n');
  const curl = `printf '%s\\n' ${quote(lines)} | curl -fsSL --retry 2 --max-time ${String(timeoutSeconds)} -o ${temporary} -K -`;
  // With wget, credentials would be visible in the process list.
  const plain = Object.keys(headers).length === 0 && !login && !/^[a-z]+:\/\/[^/]*@/i.test(url);
  const wget = `wget -q ${insecure ? '--no-check-certificate ' : ''}-T 60 -O ${temporary} ${quote(url)}`;
  const missing = 'echo "cannot download: curl is not installed" >&2; false';
  const get = `if command -v curl >/dev/null; then ${curl}; ${plain ? `elif command -v wget >/dev/null; then ${wget}; ` : ''}else ${missing}; fi </dev/null`;
  const check = checksum
    ? ` && { [ "$(${checksum.algorithm}sum <${temporary} | cut -d' ' -f1)" = ${quote(checksum.sum)} ] || { echo 'the downloaded file has another checksum' >&2; false; }; }`
    : '';
  return placed(action, get, check);
}

function curlQuote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

type PlacedFile = Pick<WriteAction, 'path' | 'mode' | 'owner' | 'group' | 'validate'>;

/** In the same directory as the file, so that it can be renamed. */
function temporaryOf({ path }: PlacedFile): string {
  return `${path}.runner-tmp`;
}

/** Writes a file by way of its temporary file, which other users cannot read before it has its owner and mode. */
function placed(file: PlacedFile, source: string, check = ''): string {
  return `{ umask 077; ${source}; rn_wrote $?${check}${publishing(file)}; }`;
}

/** Validates and renames the temporary file, or removes it. */
function publishing(file: PlacedFile): string {
  const { path, mode = '', owner = '', group = '', validate } = file;
  const temporary = temporaryOf(file);
  const check =
    validate === undefined
      ? ''
      : ` && (exec /bin/sh -c ${quote(validate.replaceAll('%s', () => quote(temporary)))}) >&2 </dev/null`;
  const publish = `rn_publish ${quoteAll([temporary, path, mode, owner, group])}`;
  return `${check} && ${publish} || rn_fail $? ${quote(temporary)}`;
}
