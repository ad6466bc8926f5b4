import type { Action, FetchAction, UploadAction } from '../core/action.ts';
import type { ReadCommand } from '../core/fact.ts';
import type { Change, Exchange } from '../core/host.ts';
import { quote, quoteAll } from '../util/shell.ts';
import { actionScript, programWords, type ActionOptions } from './action-scripts.ts';
import { controlScripts } from './control.ts';
import { pathWord } from './copies.ts';
import { copyName } from '../util/copy-name.ts';

/** The shell text of all requests to a host. The functions it calls are in runtime.sh. */

/** Facts carry whole files, in base64. */
const FACT_BYTES = 12 * 1024 * 1024;

/** One command of a script. */
export interface ShellCommand {
  script: string;
  /** It runs whatever the commands before it answered. Such commands come first. */
  always?: true;
  /** It comes from a playbook, so it may leave processes behind that hold the shell's output. */
  foreign?: boolean;
  /** Bytes kept of its output. */
  keepBytes?: number;
  /** The file whose bytes the script takes from its input. */
  upload?: UploadAction;
  /** Where the output of the script goes on the controller. */
  fetch?: FetchAction;
  /** Its output are the copies that `rn_keep` prints. */
  copies?: true;
}

export interface Script {
  commands: readonly ShellCommand[];
  /** Shell text that must succeed before the first command that does not always run; it answers only when it fails. */
  prologue?: string | undefined;
  /** Shell text that runs whatever happened. */
  epilogue?: string;
  /** Run apart from the shell, with output in the unit's files on the host, so that it outlives a lost connection. */
  detach?: { run: string; unit: number };
}

/** A part of a script. Each but the last ends with a command that takes bytes. */
export interface Section {
  text: string;
  /** Its bytes are sent when the shell has come to the end of the text and asks for them. */
  upload?: UploadAction;
}

/** The first text of a session. "B" is where answers begin: what the login shell said before is none. */
export function startText(nonce: string, runtime: string): string {
  const begin = String.raw`printf '\n%s B\n' "$rn_nonce"`;
  return `rn_nonce=${nonce}\n${runtime}\n${begin} >&2; ${begin}\n`;
}

/** A request of the run, as one script. */
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

/** A question in a subshell of its own, through `eval`: not even an open quote reaches what follows. */
function question({ script, paths = [], inSessionShell }: ReadCommand, run: string): ShellCommand {
  const words = paths.map((path) => pathWord(path, run)).join(' ');
  const parameters = words === '' ? '' : `set -- ${words}; `;
  if (inSessionShell) {
    return { ...always(`{ ${parameters}${script}; } </dev/null`), keepBytes: FACT_BYTES };
  }
  return { ...always(`(${parameters}eval ${quote(script)}) </dev/null`), keepBytes: FACT_BYTES };
}

/** Actions in order until one fails, between the copies and the record of their unit. */
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
  // Small copies come to the controller in the same round trip, should the host's disk be lost or meddled with.
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

/** The text of a script, as it is sent. */
export function sections(script: Script): Section[] {
  const { commands, prologue, epilogue, detach } = script;
  const end = epilogue === undefined ? '' : `${epilogue}\n`;
  const first = prologue === undefined ? '' : `{ ${prologue}\n} >/dev/null || rn_refuse $?\n`;
  const reset = 'rn_code=0; rn_shared=0\n';
  if (detach) {
    // Their output goes to files, which a process that is left behind may keep.
    const body = commands.map((one, index) => framed({ ...one, foreign: false }, index));
    return [
      { text: `${detached(`${reset}${first}${body.join('')}${end}rn_next\n`, detach)}rn_done\n` },
    ];
  }
  const parts: Section[] = [];
  const before = commands.filter((command) => command.always);
  let text = `${reset}${before.map(framed).join('')}`;
  // A question that failed does not hold up the change, and the prologue does not answer in its place.
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

/** The answer of a detached unit. An earlier shell wrote its frames; this one ends the answer with the nonce of that. */
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
  // The shell must have read all that was sent when the file's bytes begin.
  if (upload)
    return `if [ "$rn_code" = 0 ]; then ${next}${script}\nrn_end $?; else printf '\\n%s N\\n' "$rn_nonce"; fi\n`;
  const guard = command.always ? '' : '[ "$rn_code" = 0 ] && ';
  const [begin, end] = foreign ? ['rn_begin_foreign\n', 'rn_end_foreign'] : ['', 'rn_end'];
  return `${guard}{ ${next}${begin}${script}\n${end} $?; }\n`;
}

/**
 * The body in a process of its own, its output in files beside the unit's record. A copy is followed for display; the
 * files are read when it has ended, and again by `attach` if the connection is lost. Its commands get a session of their
 * own where setsid is installed: what they send to their process group must not end the process.
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
# A process that has just been forked may still have the handlers of this shell, which would swallow SIGTERM.
# bash reports the end of the job as soon as it knows of it, which may be before the wait.
{ kill -9 "$rn_tail"; wait "$rn_tail"; } 2>/dev/null
printf '\\n\\n%s M\\n' "$rn_nonce"
cat "$rn_output.out"
cat "$rn_output.err" >&2
rn_ending=
`;
}

/** The end of a unit whose script could not say it. */
export function finishedScript(run: string, unit: number, code: number): string {
  return `rn_finished ${quoteAll([run, String(unit), String(code)])}`;
}

export function endShellScript(pid: number, mark: string): string {
  return `rn_end_shell ${quoteAll([String(pid), mark])}`;
}

/** Prints "old" before a restart, afterwards "up" when the test succeeds and "new" when it does not. */
export function restartedScript(boot: string, test: readonly string[]): string {
  return `if [ "$rn_boot" = ${quote(boot)} ]; then echo old; elif (exec ${quoteAll(programWords(test))}) </dev/null >&2; then echo up; else echo new; fi`;
}
