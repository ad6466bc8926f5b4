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

/** An action that is shell text on its host. */
export type ShellAction = Exclude<Action, { kind: 'http' | 'reboot' }>;

export interface ActionOptions {
  /** Id of the run, whose copies an action may use. */
  run: string;
  /** It runs apart from the session shell, see `detached` in scripts.ts. */
  detach?: boolean;
}

/** One action as shell text. Anything that came from a playbook passes `quote`. */
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

/** With five digits the set-id bits of directories are cleared too: of four, GNU's chmod keeps them. */
function modeWord(mode: string): string {
  return /^[0-7]+$/.test(mode) ? mode.padStart(5, '0') : mode;
}

/**
 * The program in place of a subshell, which costs no process more than the program itself. It sees no function or variable of
 * the session shell and cannot change that. Only programs run: `cd` or `exit` are none.
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

/** @throws TaskError for what the shell would take for something else */
function variableName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  throw new TaskError(`"${name}" is no name of an environment variable.`, {
    hint: 'Use letters, digits and "_".',
  });
}

/** Some shells have options of `exec`. */
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

/** The request goes to curl by its standard input, where no other user sees it. */
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
  // wget would show a login in the list of processes.
  const plain = Object.keys(headers).length === 0 && !login && !/^[a-z]+:\/\/[^/]*@/i.test(url);
  const wget = `wget -q ${insecure ? '--no-check-certificate ' : ''}-T 60 -O ${temporary} ${quote(url)}`;
  const missing = 'echo "there is no curl to download with" >&2; false';
  const get = `if command -v curl >/dev/null; then ${curl}; ${plain ? `elif command -v wget >/dev/null; then ${wget}; ` : ''}else ${missing}; fi </dev/null`;
  const check = checksum
    ? ` && { [ "$(${checksum.algorithm}sum <${temporary} | cut -d' ' -f1)" = ${quote(checksum.sum)} ] || { echo 'what was downloaded has another checksum' >&2; false; }; }`
    : '';
  return placed(action, get, check);
}

function curlQuote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

type PlacedFile = Pick<WriteAction, 'path' | 'mode' | 'owner' | 'group' | 'validate'>;

/** Beside the file, so that a rename puts it there. */
function temporaryOf({ path }: PlacedFile): string {
  return `${path}.runner-tmp`;
}

/** A file that `source` writes under its temporary name. Until it has its owner and mode nobody else reads it. */
function placed(file: PlacedFile, source: string, check = ''): string {
  return `{ umask 077; ${source}; rn_wrote $?${check}${publishing(file)}; }`;
}

/** What follows when the temporary file is written: it gets its name, or is removed. */
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
