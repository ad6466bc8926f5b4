import type { Action, FetchAction, UploadAction } from '../core/action.ts';
import type { ReadCommand } from '../core/fact.ts';
import type { Change, Exchange } from '../core/host.ts';
import { quote, quoteAll } from '../util/shell.ts';
import { actionScript, programWords, type ActionOptions } from './action-scripts.ts';
import { controlScripts } from './control.ts';
import { pathWord } from './copies.ts';
import { copyName } from '../util/copy-name.ts';

/** Builds the scripts of all requests to a host. They call the functions in runtime.sh. */

/** Facts can contain whole files in base64. */
const FACT_BYTES = 12 * 1024 * 1024;

/** One command of a script. */
export interface ShellCommand {
  script: string;
  /** Run it even if a command before it failed. Such commands come first. */
  always?: true;
  /** It is from a playbook and can leave background processes that hold the shell's output. */
  foreign?: boolean;
  /** Maximum bytes to keep of its output. */
  keepBytes?: number;
  /** The file that the script reads from its input. */
  upload?: UploadAction;
  /** The file on the controller that gets the output. */
  fetch?: FetchAction;
  /** Its output is that of `rn_keep`. */
  copies?: true;
}

export interface Script {
  commands: readonly ShellCommand[];
  /** Script that must succeed before the first command without `always`. It has a frame only if it fails. */
  prologue?: string | undefined;
  /** Script that runs at the end, even after a failure. */
  epilogue?: string;
  /** Run in a separate process with output in the unit's files on the host, so that it survives a lost connection. */
  detach?: { run: string; unit: number };
}

/** A part of a script. Every part except the last ends with a command that reads an uploaded file. */
export interface Section {
  text: string;
  /** The file is sent when the shell has reached the end of the text and requests it. */
  upload?: UploadAction;
}

/** The first text of a session. "B" marks the begin of answers; earlier output is from the login shell. */
export function startText(nonce: string, runtime: string): string {
  const begin = String.raw`printf '\n%s B\n' "$rn_nonce"`;
  return `rn_nonce=${nonce}\n${runtime}\n${begin} >&2; ${begin}\n`;
}

/** Builds one script for a request. */
export function requestScript({ control = {}, reads = [], change }: Exchange, run: string): Script {
  const before = [
    ...controlScripts(control, run).map(always),
    ...reads.map((command) => question(command, run)),
  ];
  if (!change) return { commands: before };
  const { commands, ...rest } = changeScript(change, run);
  return { commands: [...before, ...commands], ...rest };
}

export function always(script: string): ShellCommand {
  return { script, always: true };
}

/** Runs a fact's script with `eval` in a subshell, so that a syntax error in it cannot affect the rest. */
function question({ script, paths = [], inSessionShell }: ReadCommand, run: string): ShellCommand {
  const words = paths.map((path) => pathWord(path, run)).join(' ');
  const parameters = words === '' ? '' : `set -- ${words}; `;
  if (inSessionShell) {
    return { ...always(`{ ${parameters}${script}; } </dev/null`), keepBytes: FACT_BYTES };
  }
  return { ...always(`(${parameters}eval ${quote(script)}) </dev/null`), keepBytes: FACT_BYTES };
}

/** Makes the copies, records the start of the unit, runs the actions until one fails, and records the end. */
function changeScript(
  { actions, unit, copies: paths = [], detach = false }: Change,
  run: string,
): Script {
  const commands = actions.flatMap((action) => shellCommand(action, { run, detach }));
  if (unit === undefined) return { commands };
  const words = quoteAll([run, String(unit)]);
  const names = paths.map((path) => copyName({ copyOf: path, unit }));
  const copies = paths.map((path, index) => {
    return `rn_capture ${quoteAll([run, path, names[index] ?? ''])} && `;
  });
  // Also send small copies to the controller in the same round trip, in case the host loses or modifies its copies.
  const keep = `rn_keep ${quoteAll([run, ...names])} </dev/null || true`;
  return {
    commands:
      paths.length > 0 && !detach ? [{ script: keep, copies: true }, ...commands] : commands,
    prologue: `${copies.join('')}rn_started ${words}`,
    epilogue: `rn_finished ${words} "$rn_code"`,
    ...(detach ? { detach: { run, unit } } : {}),
  };
}

function shellCommand(action: Action, options: ActionOptions): ShellCommand[] {
  if (action.kind === 'http' || action.kind === 'reboot') return [];
  const script = actionScript(action, options);
  if (action.kind === 'upload') return [{ script, upload: action }];
  if (action.kind === 'fetch') return [{ script, fetch: action }];
  return [{ script, foreign: action.kind === 'exec' }];
}

/** The parts of a script in the order in which they are sent. */
export function sections(script: Script): Section[] {
  const { commands, prologue, epilogue, detach } = script;
  const end = epilogue === undefined ? '' : `${epilogue}\n`;
  const first = prologue === undefined ? '' : `{ ${prologue}\n} >/dev/null || rn_refuse $?\n`;
  const reset = 'rn_code=0; rn_shared=0\n';
  if (detach) {
    // The output goes to files, so background processes that hold it are not a problem.
    const body = commands.map((one, index) => framed({ ...one, foreign: false }, index));
    return [
      { text: `${detached(`${reset}${first}${body.join('')}${end}rn_next\n`, detach)}rn_done\n` },
    ];
  }
  const parts: Section[] = [];
  const before = commands.filter((command) => command.always);
  let text = `${reset}${before.map(framed).join('')}`;
  // A failed read does not prevent the change, and must not be reported as a failed prologue.
  const hasChange = first !== '' || before.length < commands.length;
  text += before.length > 0 && hasChange ? `rn_next\nrn_code=0\n${first}` : first;
  for (const [index, command] of commands.entries()) {
    if (command.always) continue;
    text += framed(command, index);
    if (!command.upload) continue;
    parts.push({ text, upload: command.upload });
    text = '';
  }
  parts.push({ text: `${text}${end}rn_done\n` });
  return parts;
}

/** Prints the output of a detached unit, which has the nonce of an earlier shell, and ends the answer with that nonce. */
export function attach(nonce: string, run: string, unit: number): Section[] {
  const text = `rn_own=$rn_nonce; rn_nonce=${quote(nonce)}; rn_ending=
rn_attend ${quoteAll([run, String(unit)])}
rn_done
rn_nonce=$rn_own
`;
  return [{ text }];
}

function framed({ script, foreign, upload, ...command }: ShellCommand, index: number): string {
  const next = index === 0 ? '' : 'rn_next\n';
  // The shell must have read all text before the bytes of the file are sent.
  if (upload)
    return `if [ "$rn_code" = 0 ]; then ${next}${script}\nrn_end $?; else printf '\\n%s N\\n' "$rn_nonce"; fi\n`;
  const guard = command.always ? '' : '[ "$rn_code" = 0 ] && ';
  const [begin, end] = foreign ? ['rn_begin_foreign\n', 'rn_end_foreign'] : ['', 'rn_end'];
  return `${guard}{ ${next}${begin}${script}\n${end} $?; }\n`;
}

/**
 * Runs the body in a separate process, with its output in files beside the unit's record. `tail -f` displays the output while it
 * runs; the files are printed at the end, and again by `attach` after a lost connection. Commands run in their own session if
 * setsid is installed, so that a signal to their process group does not end this process.
 */
function detached(body: string, { run, unit }: { run: string; unit: number }): string {
  return `rn_make_run_dir ${quote(run)}
rn_output="$rn_dir/runs/"${quote(run)}/detached/${String(unit)}
(umask 077; : >"$rn_output.out"; : >"$rn_output.err")
(
trap '' HUP
rn_worker=$(exec sh -c 'echo $PPID')
if command -v setsid >/dev/null; then rn_setsid=setsid; fi
${body}) >>"$rn_output.out" 2>>"$rn_output.err" </dev/null &
rn_work=$!
printf '\\n%s L\\n' "$rn_nonce"
tail -n +1 -f "$rn_output.out" 2>/dev/null &
rn_tail=$!
# A signal ends "wait" early.
while kill -0 "$rn_work" 2>/dev/null; do wait "$rn_work"; done
# A process that has just been forked can still have the handlers of this shell, which ignore SIGTERM.
# bash can report the end of the job before the wait.
{ kill -9 "$rn_tail"; wait "$rn_tail"; } 2>/dev/null
printf '\\n\\n%s M\\n' "$rn_nonce"
cat "$rn_output.out"
cat "$rn_output.err" >&2
rn_ending=
`;
}

/** Records the end of a unit whose script could not record it. */
export function finishedScript(run: string, unit: number, code: number): string {
  return `rn_finished ${quoteAll([run, String(unit), String(code)])}`;
}

export function endShellScript(pid: number, mark: string): string {
  return `rn_end_shell ${quoteAll([String(pid), mark])}`;
}

/** Prints "old" before the restart, then "new" while the test fails and "up" when it succeeds. */
export function restartedScript(boot: string, test: readonly string[]): string {
  return `if [ "$rn_boot" = ${quote(boot)} ]; then echo old; elif (exec ${quoteAll(programWords(test))}) </dev/null >&2; then echo up; else echo new; fi`;
}
