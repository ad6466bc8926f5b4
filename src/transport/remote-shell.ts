import { randomBytes } from 'node:crypto';
import { ConnectError, TimeoutError } from '../core/errors.ts';
import type { CommandOutput } from '../core/fact.ts';
import type { OutputSink, RunOptions } from '../core/host.ts';
import { quote } from '../util/shell.ts';
import { FrameReader, type Wish } from './frames.ts';
import type { ShellChannel } from './line.ts';

/** Bytes of a file on their way to the host. */
export type ByteSource = () => AsyncIterable<Buffer>;

/** One command of a script. */
export interface ShellCommand {
  script: string;
  /** It comes from a playbook, so it may leave processes behind that hold the shell's output. */
  foreign?: boolean;
  /** Bytes that the script takes with `receive`. */
  feed?: ByteSource;
  /** Where its standard output goes instead of into the answer. */
  sink?: OutputSink;
}

/** An answer. */
export interface ShellOutput extends CommandOutput {
  /** What comes before the commands failed; none of them ran. */
  prologue?: boolean;
}

export interface ScriptOptions {
  /** Run all commands, whatever the ones before answered. */
  keepGoing?: boolean;
  /** Shell text that must succeed before the first command; it answers only when it does not. */
  prologue?: string;
  /** Shell text that runs whatever happened. */
  epilogue?: string;
  /** Run apart from the shell, with output in the unit's files on the host, so that it outlives a lost connection. */
  detach?: { run: string; unit: string };
  /** Bytes kept of an output. */
  keepBytes: number;
  /** The word that frames the answer, when it was made by an earlier shell. */
  nonce?: string;
}

interface Job {
  fail: (error: Error) => void;
  check: () => void;
  stdout: FrameReader;
  stderr: FrameReader;
}

/**
 * One long-lived `sh`, fed scripts over its standard input. Each answer stands between lines that begin with a word
 * the commands cannot know, on both streams, so any bytes may pass between them.
 */
export class RemoteShell {
  /** In the environment of all that this shell starts. */
  readonly mark: string;
  readonly nonce = randomBytes(16).toString('hex');
  readonly #host: string;
  readonly #channel: ShellChannel;
  #job: Job | undefined;
  #closed: string | undefined;
  #shared = false;
  /** Process id of the shell on the host. */
  pid = 0;

  constructor(host: string, channel: ShellChannel, mark: string) {
    this.#host = host;
    this.#channel = channel;
    this.mark = mark;
    channel.stdout.on('data', (chunk: Buffer) => {
      this.#job?.stdout.push(chunk);
      this.#job?.check();
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      this.#job?.stderr.push(chunk);
      this.#job?.check();
    });
    channel.stdin.on('error', () => {
      // The close that follows says why.
    });
    channel.onClose((reason) => {
      this.#closed ??= reason;
      this.#job?.fail(this.#lost(reason));
    });
  }

  /** Whether it can take another script. */
  get usable(): boolean {
    return this.#closed === undefined && !this.#shared;
  }

  /** Why the channel closed; undefined while it is open. */
  get closed(): string | undefined {
    return this.#closed;
  }

  /** Sends the runtime functions and learns the shell's process id. */
  async start(runtime: string, options: RunOptions): Promise<void> {
    // What the login shell said before is no answer of ours: "B" is where they begin.
    this.#channel.stdin.write(
      `rn_nonce=${this.nonce}\n${runtime}\nprintf '\\n%s B\\n' "$rn_nonce" >&2; printf '\\n%s B\\n' "$rn_nonce"\n`,
    );
    const [answer] = await this.run([{ script: 'echo $$' }], options, { keepBytes: 1024 });
    this.pid = Number(answer?.stdout.trim());
  }

  /**
   * Runs commands in order until one fails, then the epilogue whatever happened. One round trip, and one more for
   * each that is fed.
   * @returns an output for each command that ran, or one with `prologue` set
   * @throws ConnectError when the line or the shell is lost; TimeoutError when time is up or the signal says so: the
   * shell then takes no more work, and whoever opened it must end its processes and destroy it
   */
  run(
    commands: readonly ShellCommand[],
    options: RunOptions,
    script: ScriptOptions,
  ): Promise<ShellOutput[]> {
    if (this.#closed !== undefined) return Promise.reject(this.#lost(this.#closed));
    const sections = compose(commands, script);
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', onAbort);
        this.#job = undefined;
        job.stdout.close();
        job.stderr.close();
      };
      const fail = (error: Error) => {
        finish();
        reject(error);
      };
      const giveUp = (message: string, hint?: string) => {
        this.#closed ??= 'given up';
        fail(new TimeoutError(message, { hint }));
      };
      const onAbort = () => {
        giveUp('Interrupted; whether the step still had an effect is not known.');
      };
      const timer = setTimeout(() => {
        const seconds = String(Math.round(options.timeoutMs / 1000));
        giveUp(
          `No answer from "${this.#host}" within ${seconds} s.`,
          'Raise "timeout" on the task if it may take longer.',
        );
      }, options.timeoutMs);
      options.signal?.addEventListener('abort', onAbort, { once: true });
      let section = 0;
      const sendNext = (wish: Wish) => {
        const feed = wish === 'R' || wish === 'W' ? sections[section]?.feed : undefined;
        if (wish !== 'W') section++;
        const next = wish === 'W' ? undefined : sections[section]?.text;
        this.#feed(feed, next, () => this.#job === job).catch((error: unknown) => {
          // The shell waits for bytes that do not come: nothing else can be told to it.
          this.#closed ??= 'given up';
          fail(error instanceof Error ? error : new Error(String(error)));
          this.destroy();
        });
      };
      const frameOptions = {
        keepBytes: script.keepBytes,
        onOutput: options.onOutput,
        awaitBegin: this.pid === 0,
      };
      const job: Job = {
        fail,
        check: () => {
          if (!job.stdout.done || !job.stderr.done) return;
          const outputs = toOutputs(job.stdout, job.stderr);
          this.#shared ||= job.stdout.frames.some(({ shared }) => shared);
          finish();
          resolve(outputs);
        },
        stdout: new FrameReader(script.nonce ?? this.nonce, {
          ...frameOptions,
          onReady: sendNext,
          overflow: () => options.overflow?.('stdout'),
          sink: (index) => commands[index]?.sink,
        }),
        stderr: new FrameReader(script.nonce ?? this.nonce, {
          ...frameOptions,
          overflow: () => options.overflow?.('stderr'),
        }),
      };
      this.#job = job;
      this.#channel.stdin.write(sections[0]?.text ?? '');
    });
  }

  destroy(): void {
    this.#closed ??= 'given up';
    this.#channel.destroy();
  }

  /** Sends the bytes at the pace the host takes them, then the text that follows. */
  async #feed(
    feed: ByteSource | undefined,
    next: string | undefined,
    wanted: () => boolean,
  ): Promise<void> {
    const { stdin } = this.#channel;
    if (feed) {
      for await (const chunk of feed()) {
        if (!wanted()) return;
        if (!stdin.write(chunk)) await this.#drained();
      }
    }
    if (next !== undefined && wanted()) stdin.write(next);
  }

  #drained(): Promise<void> {
    const { stdin } = this.#channel;
    return new Promise((resolve) => {
      const go = () => {
        clearInterval(watch);
        stdin.off('drain', go);
        resolve();
      };
      stdin.once('drain', go);
      // A channel that closes meanwhile does not drain any more.
      const watch = setInterval(() => {
        if (this.#closed !== undefined) go();
      }, 200);
    });
  }

  #lost(reason: string): ConnectError {
    return new ConnectError(`The connection to "${this.#host}" was lost: ${reason}.`, {
      host: this.#host,
      stage: 'lost',
      retryable: true,
    });
  }
}

interface Section {
  text: string;
  /** Sent when the shell has come to the end of the text and asks for it. */
  feed?: ByteSource | undefined;
}

/** A script in parts: each but the last ends with a command that takes bytes. */
function compose(
  commands: readonly ShellCommand[],
  { keepGoing = false, prologue, epilogue, detach, nonce }: ScriptOptions,
): Section[] {
  if (nonce !== undefined) {
    // An earlier shell wrote the frames; this one closes the answer with the same word.
    const scripts = commands.map(({ script }) => script).join('\n');
    return [
      {
        text: `rn_own=$rn_nonce; rn_nonce=${quote(nonce)}; rn_ending=\n${scripts}\nrn_done\nrn_nonce=$rn_own\n`,
      },
    ];
  }
  const begin = `rn_code=0; rn_shared=0\n${prologue === undefined ? '' : `{ ${prologue}\n} >/dev/null || rn_refuse $?\n`}`;
  const end = epilogue === undefined ? '' : `${epilogue}\n`;
  if (detach) {
    // Their output goes to files, which a process that is left behind may keep.
    const body = commands.map(({ script }, index) => framed({ script }, index, keepGoing)).join('');
    return [{ text: `${detached(`${begin}${body}${end}rn_next\n`, detach)}rn_done\n` }];
  }
  const sections: Section[] = [];
  let text = begin;
  commands.forEach((command, index) => {
    if (!command.feed) {
      text += framed(command, index, keepGoing);
      return;
    }
    // The shell must have read all that was sent when the file's bytes begin.
    const before = index === 0 ? '' : 'rn_next\n';
    text += `if [ "$rn_code" = 0 ]; then ${before}${command.script}\nrn_end $?; else printf '\\n%s N\\n' "$rn_nonce"; fi\n`;
    sections.push({ text, feed: command.feed });
    text = '';
  });
  sections.push({ text: `${text}${end}rn_done\n` });
  return sections;
}

function framed(
  { script, foreign = false }: ShellCommand,
  index: number,
  keepGoing: boolean,
): string {
  const guard = keepGoing ? '' : '[ "$rn_code" = 0 ] && ';
  const before = index === 0 ? '' : 'rn_next\n';
  return `${guard}{ ${before}${foreign ? 'rn_begin_foreign\n' : ''}${script}\n${foreign ? 'rn_end_foreign' : 'rn_end'} $?; }\n`;
}

/**
 * The body in a process of its own, its output in files beside the unit's record. A copy is followed for display; the
 * files are read when it has ended, and again by `rn_attend` if the connection is lost. Its commands get a session of their
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

function toOutputs(stdout: FrameReader, stderr: FrameReader): ShellOutput[] {
  return stdout.frames.map(({ code, bytes, size, prologue }, index) => {
    const error = stderr.frames[index];
    const cut = [stdout.frames[index], error].some((one) => one && one.size > one.bytes.length);
    return {
      code,
      stdout: bytes.toString('utf8'),
      stderr: error?.bytes.toString('utf8') ?? '',
      ...(prologue ? { prologue } : {}),
      ...(cut ? { bytes: { stdout: size, stderr: error?.size ?? 0 } } : {}),
    };
  });
}
