import type { Action, FetchAction, UploadAction } from '../core/action.ts';
import type { ReadCommand } from '../core/fact.ts';
import type { Batch, LockRequest } from '../core/host.ts';
import { quote, quoteAll } from '../util/shell.ts';
import { actionScript, programWords } from './action-scripts.ts';

/** The shell text of all requests to a host. The functions it calls are in runtime.sh. */

/** One command of a script. */
export interface ShellCommand {
  script: string;
  /** It comes from a playbook, so it may leave processes behind that hold the shell's output. */
  foreign?: boolean;
  /** The file whose bytes the script takes from its input. */
  upload?: UploadAction;
  /** Where the output of the script goes on the controller. */
  fetch?: FetchAction;
}

export interface Script {
  commands: readonly ShellCommand[];
  /** Run all commands, whatever the ones before answered. */
  keepGoing?: boolean;
  /** Shell text that must succeed before the first command; it answers only when it does not. */
  prologue?: string | undefined;
  /** Shell text that runs whatever happened. */
  epilogue?: string;
  /** Run apart from the shell, with output in the unit's files on the host, so that it outlives a lost connection. */
  detach?: { run: string; unit: string };
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

/** A question in a subshell of its own, through `eval`: not even an open quote reaches what follows. */
export function questions(commands: readonly ReadCommand[]): Script {
  return {
    commands: commands.map(({ script }) => ({ script: `(eval ${quote(script)}) </dev/null` })),
    keepGoing: true,
  };
}

export const control = {
  lock: ({ run, owner, leaseSeconds, replaced = '' }: LockRequest) =>
    `rn_lock ${quoteAll([run, owner, String(leaseSeconds), replaced])}`,
  renew: (run: string) => `rn_renew ${quote(run)}`,
  unlock: (run: string) => `rn_unlock ${quote(run)}`,
  fence: (run: string) => `rn_fence ${quote(run)}`,
  unit: (run: string, unit: string) => `rn_unit ${quoteAll([run, unit])}`,
  /** The end of a unit whose script could not say it. */
  finished: (run: string, unit: string, code: number) =>
    `rn_finished ${quoteAll([run, unit, String(code)])}`,
  endShell: (pid: number, mark: string) => `rn_end_shell ${quoteAll([String(pid), mark])}`,
  /** Prints "old" before a restart, afterwards "up" when the test succeeds and "new" when it does not. */
  restarted: (boot: string, test: readonly string[]) =>
    `if [ "$rn_boot" = ${quote(boot)} ]; then echo old; elif (exec ${quoteAll(programWords(test))}) </dev/null >&2; then echo up; else echo new; fi`,
};

/** Actions in order until one fails, between the copies and the record of their unit. */
export function change({ actions, captures, record, detach = false }: Batch): Script {
  const commands = actions.flatMap((action) => shellCommand(action, detach));
  if (!record) return { commands };
  const { run, unit } = record;
  const copies = captures.map(({ path, name }) => `rn_capture ${quoteAll([run, path, name])} && `);
  // Small copies come to the controller in the same round trip, should the host's disk be lost or meddled with.
  const names = captures.map(({ name }) => name);
  const keep = { script: `rn_keep ${quoteAll([run, ...names])} </dev/null || true` };
  return {
    commands: keepsCopies({ captures, record, detach }) ? [keep, ...commands] : commands,
    prologue: `${copies.join('')}rn_started ${quoteAll([run, unit])}`,
    epilogue: `rn_finished ${quoteAll([run, unit])} "$rn_code"`,
    ...(detach ? { detach: record } : {}),
  };
}

/** Whether the first output of the script is that of `rn_keep`. */
export function keepsCopies(batch: Pick<Batch, 'captures' | 'record' | 'detach'>): boolean {
  return batch.record !== undefined && batch.captures.length > 0 && batch.detach !== true;
}

function shellCommand(action: Action, detach: boolean): ShellCommand[] {
  if (action.kind === 'http' || action.kind === 'reboot') return [];
  const script = actionScript(action, { detach });
  if (action.kind === 'upload') return [{ script, upload: action }];
  if (action.kind === 'fetch') return [{ script, fetch: action }];
  return [{ script, foreign: action.kind === 'exec' }];
}

/** The text of a script, as it is sent. */
export function sections(script: Script): Section[] {
  const { commands, keepGoing = false, prologue, epilogue, detach } = script;
  const first = prologue === undefined ? '' : `{ ${prologue}\n} >/dev/null || rn_refuse $?\n`;
  const begin = `rn_code=0; rn_shared=0\n${first}`;
  const end = epilogue === undefined ? '' : `${epilogue}\n`;
  if (detach) {
    // Their output goes to files, which a process that is left behind may keep.
    const body = commands.map((one, index) => framed({ ...one, foreign: false }, index, keepGoing));
    return [{ text: `${detached(`${begin}${body.join('')}${end}rn_next\n`, detach)}rn_done\n` }];
  }
  const parts: Section[] = [];
  let text = begin;
  commands.forEach((command, index) => {
    if (!command.upload) {
      text += framed(command, index, keepGoing);
      return;
    }
    // The shell must have read all that was sent when the file's bytes begin.
    const before = index === 0 ? '' : 'rn_next\n';
    text += `if [ "$rn_code" = 0 ]; then ${before}${command.script}\nrn_end $?; else printf '\\n%s N\\n' "$rn_nonce"; fi\n`;
    parts.push({ text, upload: command.upload });
    text = '';
  });
  parts.push({ text: `${text}${end}rn_done\n` });
  return parts;
}

/** The answer of a detached unit. An earlier shell wrote its frames; this one ends the answer with the nonce of that. */
export function attach(nonce: string, run: string, unit: string): Section[] {
  const text = `rn_own=$rn_nonce; rn_nonce=${quote(nonce)}; rn_ending=
rn_attend ${quoteAll([run, unit])}
rn_done
rn_nonce=$rn_own
`;
  return [{ text }];
}

function framed(
  { script, foreign = false }: ShellCommand,
  index: number,
  keepGoing: boolean,
): string {
  const guard = keepGoing ? '' : '[ "$rn_code" = 0 ] && ';
  const before = index === 0 ? '' : 'rn_next\n';
  const [begin, end] = foreign ? ['rn_begin_foreign\n', 'rn_end_foreign'] : ['', 'rn_end'];
  return `${guard}{ ${before}${begin}${script}\n${end} $?; }\n`;
}

/**
 * The body in a process of its own, its output in files beside the unit's record. A copy is followed for display; the
 * files are read when it has ended, and again by `attach` if the connection is lost. Its commands get a session of their
 * own where setsid is installed: what they send to their process group must not end the process.
 */
function detached(body: string, { run, unit }: { run: string; unit: string }): string {
  return `rn_make_run_dir ${quote(run)}
rn_output="$rn_dir/runs/"${quote(run)}/detached/${quote(unit)}
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
kill "$rn_tail" 2>/dev/null
wait "$rn_tail" 2>/dev/null
printf '\\n\\n%s M\\n' "$rn_nonce"
cat "$rn_output.out"
cat "$rn_output.err" >&2
rn_ending=
`;
}
