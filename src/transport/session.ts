import type { HttpRequest, HttpResponse, RebootAction } from '../core/action.ts';
import { errorMessage, TaskError, TimeoutError } from '../core/errors.ts';
import type { CommandOutput, ReadCommand } from '../core/fact.ts';
import { describePath } from '../core/host-path.ts';
import type { Answer, Change, ChangeAnswer, Exchange, HostSession, Limits } from '../core/host.ts';
import type { Clock } from '../core/ports.ts';
import { trace } from '../util/trace.ts';
import { controlAnswers } from './control.ts';
import { copyName } from '../util/copy-name.ts';
import { runDetached } from './detached.ts';
import { requestOutput } from './http.ts';
import { restart } from './reboot.ts';
import {
  always,
  endShellScript,
  finishedScript,
  requestScript,
  restartedScript,
  sections,
  type Script,
} from './scripts.ts';
import type { RemoteShell, ShellOutput } from './shell.ts';
import { ShellPool } from './shell-pool.ts';
import { FetchedFiles, KeptCopies } from './transfers.ts';

const KILL_TIMEOUT_MS = 20_000;

export interface SessionOptions {
  /** Name of the host. */
  host: string;
  /** ID of the run. */
  run: string;
  /** Maximum number of shells for tasks. */
  limit: number;
  /** Whether the host is the controller. */
  local: boolean;
  sendHttp: SendHttp;
  /** Used while waiting for a restart. */
  clock: Clock;
}

export type SendHttp = (request: HttpRequest) => Promise<HttpResponse>;

/** The shells of one user on one host: usually one, more if several tasks run there at the same time. */
export class ShellSession implements HostSession {
  readonly #open: () => Promise<RemoteShell>;
  readonly #options: SessionOptions;
  readonly #shells: ShellPool;

  constructor(open: () => Promise<RemoteShell>, options: SessionOptions) {
    this.#open = open;
    this.#options = options;
    this.#shells = new ShellPool(open, options);
  }

  async exchange(request: Exchange, limits: Limits): Promise<Answer> {
    const { change, ...rest } = request;
    this.#trace(request);
    const apart = change && this.#changeApart(change);
    if (!apart) return this.#send(request, limits);
    return { ...(await this.#send(rest, limits)), change: await apart(limits) };
  }

  /** The implementation of changes that need more than one script; undefined for all others. */
  #changeApart(change: Change): ((limits: Limits) => Promise<ChangeAnswer>) | undefined {
    const { actions } = change;
    if (actions.some(({ kind }) => kind === 'http')) return () => this.#request(change);
    const [reboot] = actions.filter((action) => action.kind === 'reboot');
    if (reboot && actions.length > 1)
      throw new TaskError('A restart cannot be combined with other actions in a step.');
    if (reboot) return (limits) => this.#restart(reboot, change.unit, limits);
    if (change.detach !== true || change.unit === undefined) return undefined;
    const script = requestScript({ change }, this.#options.run);
    const detach = { run: this.#options.run, unit: change.unit };
    return async (limits) => {
      const steps = {
        use: <T>(limits: Limits, work: (shell: RemoteShell) => Promise<T>) =>
          this.#use(limits, work),
        ask: async (control: Exchange['control'] & {}, left: Limits) =>
          (await this.#send({ control }, left)).control,
        clock: this.#options.clock,
      };
      return changeAnswer(await runDetached({ ...script, detach }, steps, limits));
    };
  }

  async #send(request: Exchange, limits: Limits): Promise<Answer> {
    const script = requestScript(request, this.#options.run);
    const { commands, prologue } = script;
    if (commands.length === 0 && prologue === undefined) return { control: {}, reads: [] };
    const files = await FetchedFiles.create(commands);
    const kept = new KeptCopies();
    // Renewing a lock must not wait for tasks that use all shells.
    const isUrgent = request.change === undefined && (request.reads ?? []).length === 0;
    try {
      const outputs = await this.#use(
        limits,
        (shell) =>
          shell.run(sections(script), limits, {
            keepBytes: (index) => commands[index]?.keepBytes,
            sink: (index) => (commands[index]?.copies ? kept : files.sink(index)),
          }),
        isUrgent,
      );
      const { control = {}, reads = [], change } = request;
      const own = commands.filter((command) => command.always).length - reads.length;
      const answer: Answer = {
        control: controlAnswers(control, outputs.slice(0, own)),
        reads: outputs.slice(own, own + reads.length),
      };
      if (!change) return answer;
      const first = own + reads.length;
      await files.finish(outputs, first);
      const done = outputs.slice(first);
      const copies = commands.some((command) => command.copies)
        ? copiesByPath(change, kept.copies)
        : undefined;
      return { ...answer, change: changeAnswer(done, copies) };
    } finally {
      await files.discard();
    }
  }

  async #request({ actions }: Change): Promise<ChangeAnswer> {
    const requests = actions.flatMap((action) => (action.kind === 'http' ? [action.request] : []));
    // Check before the first request is sent, because it can have an effect.
    if (requests.length < actions.length)
      throw new TaskError('HTTP requests cannot be combined with other actions in a step.');
    const outputs: CommandOutput[] = [];
    for (const request of requests)
      outputs.push(requestOutput(request, await this.#options.sendHttp(request)));
    return { outputs };
  }

  async #restart(
    action: RebootAction,
    unit: number | undefined,
    limits: Limits,
  ): Promise<ChangeAnswer> {
    const { host, run, local, clock } = this.#options;
    if (local) {
      throw new TaskError('The controller cannot restart itself during a run.', {
        hint: 'Exclude it from the hosts of this step.',
      });
    }
    const outputs = await restart(
      action,
      {
        host,
        clock,
        order: (command, left) => {
          // No epilogue: if the controller is lost during the restart, the record shows the unit as interrupted.
          const { commands, prologue } = requestScript(
            { change: { actions: [command], unit } },
            run,
          );
          return this.#run({ commands, prologue }, left);
        },
        look: async (left) => {
          const script = always(restartedScript(action.boot, action.test));
          const [answer] = await this.#run({ commands: [script] }, left);
          return answer ?? { code: -1, stdout: '', stderr: 'no answer' };
        },
      },
      limits,
    );
    if (unit !== undefined) {
      const script = finishedScript(run, unit, outputs.at(-1)?.code ?? 1);
      await this.#run({ commands: [always(script)] }, limits);
    }
    return { outputs };
  }

  #run(script: Script, limits: Limits): Promise<ShellOutput[]> {
    return this.#use(limits, (shell) => shell.run(sections(script), limits));
  }

  #trace({ control = {}, reads = [], change }: Exchange): void {
    const { host } = this.#options;
    trace('ssh', () => {
      const parts = [
        ...Object.keys(control).map((name) => `asks ${name}`),
        ...(reads.length > 0 ? [`asks ${reads.map(questionText).join('\n')}`] : []),
        ...(change ? [`does ${change.actions.map(({ kind }) => kind).join(', ')}`] : []),
      ];
      return `${host}: ${parts.join('; ')}`;
    });
  }

  async #use<T>(
    { signal }: Limits,
    work: (shell: RemoteShell) => Promise<T>,
    isUrgent = false,
  ): Promise<T> {
    const shell = await this.#shells.acquire({ signal, isUrgent });
    const began = Date.now();
    try {
      const done = await work(shell);
      trace('ssh', () => `${this.#options.host}: answered in ${String(Date.now() - began)} ms`);
      return done;
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      const ended = await this.#endProcesses(shell);
      shell.destroy();
      throw new TimeoutError(`${error.message} ${ended}`, { hint: error.hint, cause: error });
    } finally {
      this.#shells.release(shell);
    }
  }

  /** Kills an abandoned shell and all processes that it started. Returns the result as a sentence. */
  async #endProcesses({ pid, mark }: RemoteShell): Promise<string> {
    let shell: RemoteShell | undefined;
    try {
      shell = await this.#open();
      const [answer] = await shell.run(
        sections({ commands: [always(endShellScript(pid, mark))] }),
        { timeoutMs: KILL_TIMEOUT_MS },
      );
      if (answer?.stdout.trim() === 'ended') return 'Its processes on the host were killed.';
      return `Some of its processes on the host could not be killed (${answer?.stdout.trim() ?? ''}).`;
    } catch (error) {
      return `Its processes could still be running on the host (${errorMessage(error)}).`;
    } finally {
      shell?.destroy();
    }
  }
}

/** @param copies the content of the first output, if copies were kept */
function changeAnswer(
  outputs: readonly ShellOutput[],
  copies?: ReadonlyMap<string, Buffer>,
): ChangeAnswer {
  const [first] = outputs;
  if (first?.prologue)
    return { outputs: [], refused: first.stderr.trim() || `code ${String(first.code)}` };
  return copies ? { outputs: outputs.slice(1), copies } : { outputs: [...outputs] };
}

function copiesByPath(
  { unit = 0, copies: paths = [] }: Change,
  kept: ReadonlyMap<string, Buffer>,
): Map<string, Buffer> {
  return new Map(
    paths.flatMap((path): [string, Buffer][] => {
      const content = kept.get(copyName({ copyOf: path, unit }));
      return content ? [[path, content]] : [];
    }),
  );
}

function questionText({ script, paths = [] }: ReadCommand): string {
  return [script, ...paths.map(describePath)].join(' ');
}
