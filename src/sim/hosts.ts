import { ConnectError, TimeoutError } from '../core/errors.ts';
import type { CommandOutput } from '../core/fact.ts';
import type {
  Answer,
  Change,
  ChangeAnswer,
  Connections,
  Control,
  ControlAnswers,
  Exchange,
  Limits,
} from '../core/host.ts';
import type { Chance } from './chance.ts';
import type { EventQueue } from './clock.ts';
import type { ControllerProcess } from './controller.ts';
import type { ModelHost } from './model-host.ts';

/** Fault of one exchange between the controller and a host. */
export type LineFault =
  /** The answer takes long. */
  | 'late'
  /** The line breaks before the request arrives. */
  | 'lost-request'
  /** The line breaks before the answer arrives; the host continues. */
  | 'lost-answer'
  /** No answer arrives, though the line seems to work. */
  | 'never';

/** A connection to a host. */
interface Line {
  process: ControllerProcess;
  run: string;
  /** Number of running changes. */
  running: number;
  /** Requests under way, which a host discards when it ends the shell of the line. */
  onTheWay: Set<{ isForgotten: boolean }>;
}

/** A running change. */
export interface RunningChange {
  host: string;
  run: string;
  change: Change;
  /** Number of completed actions. */
  done: number;
}

/** Model hosts, and the lines to them. */
export class ModelNetwork {
  readonly hosts: ReadonlyMap<string, ModelHost>;
  readonly #events: EventQueue;
  readonly #chance: Chance;
  readonly #lines = new Map<string, Line[]>();
  /** Changes that are running on hosts, independent of the controller. */
  readonly running = new Set<RunningChange>();
  /** Chooses the fault of an exchange; undefined for none. */
  fault: (host: string, request: Exchange) => LineFault | undefined = () => undefined;

  constructor(hosts: readonly ModelHost[], events: EventQueue, chance: Chance) {
    this.hosts = new Map(hosts.map((host) => [host.name, host]));
    this.#events = events;
    this.#chance = chance;
  }

  connections(process: ControllerProcess, run: string): Connections {
    const open = new Map<string, Line>();
    return {
      session: ({ name }) => {
        const host = this.hosts.get(name);
        if (!host) throw new Error(`There is no model host "${name}".`);
        return process.call(this.#travel(), () => ({
          exchange: (request, limits) => {
            const line = open.get(name) ?? this.#open(host, process, run);
            open.set(name, line);
            return this.#exchange(host, line, { request, limits, broke: () => open.delete(name) });
          },
        }));
      },
      reset: ({ name }) => {
        open.delete(name);
        return process.call(0, () => undefined);
      },
      close: () => process.call(0, () => undefined),
    };
  }

  #travel(): number {
    return 0.5 + this.#chance.below(8) / 2;
  }

  #open({ name }: ModelHost, process: ControllerProcess, run: string): Line {
    const line = { process, run, running: 0, onTheWay: new Set<{ isForgotten: boolean }>() };
    this.#lines.set(name, [...(this.#lines.get(name) ?? []), line]);
    return line;
  }

  #exchange(
    host: ModelHost,
    line: Line,
    { request, limits, broke }: { request: Exchange; limits: Limits; broke: () => void },
  ): Promise<Answer> {
    const { process } = line;
    if (limits.signal?.aborted === true)
      return Promise.reject(new TimeoutError('Interrupted; nothing was sent.'));
    const fault = this.fault(host.name, request);
    return new Promise((resolve, reject) => {
      if (!process.begins()) return;
      let isOver = false;
      let giveUpOnHost: () => void = () => undefined;
      const end = (settle: () => void) => {
        if (isOver) return;
        isOver = true;
        cancel();
        limits.signal?.removeEventListener('abort', abort);
        if (process.begins()) settle();
      };
      const timedOut = (error: Error) => {
        // The transport ends the processes that the request started.
        giveUpOnHost();
        broke();
        end(() => {
          reject(error);
        });
      };
      const cancel = this.#events.after(limits.timeoutMs, () => {
        if (process.isAlive) timedOut(new TimeoutError(`"${host.name}" did not answer in time.`));
      });
      const abort = () => {
        timedOut(new TimeoutError('Interrupted.'));
      };
      limits.signal?.addEventListener('abort', abort, { once: true });
      const lose = () => {
        broke();
        end(() => {
          reject(lost(host.name));
        });
      };
      if (fault === 'lost-request') {
        this.#events.after(this.#travel(), lose);
        return;
      }
      const parcel = { isForgotten: false };
      giveUpOnHost = () => (parcel.isForgotten = true);
      const arrive = (answer: Answer) => {
        end(() => {
          resolve(answer);
        });
      };
      this.#deliver(host, line, request, { fault, parcel, lose, arrive });
    });
  }

  /** Delivers a request to the host, and its answer to the controller. */
  #deliver(
    host: ModelHost,
    line: Line,
    request: Exchange,
    {
      fault,
      parcel,
      lose,
      arrive,
    }: {
      fault: LineFault | undefined;
      parcel: { isForgotten: boolean };
      lose: () => void;
      arrive: (answer: Answer) => void;
    },
  ): void {
    line.onTheWay.add(parcel);
    this.#events.after(this.#travel(), () => {
      line.onTheWay.delete(parcel);
      if (parcel.isForgotten) return;
      if (fault === 'lost-answer') this.#events.after(this.#travel(), lose);
      this.#serve(host, line, request, parcel, (answer) => {
        if (fault === 'never' || fault === 'lost-answer') return;
        const ms = fault === 'late' ? 1000 + this.#chance.below(90_000) : this.#travel();
        this.#events.after(ms, () => {
          arrive(answer);
        });
      });
    });
  }

  /** Processes a request on the host, and calls `done` at its end. */
  #serve(
    host: ModelHost,
    line: Line,
    { control = {}, reads = [], change }: Exchange,
    parcel: { isForgotten: boolean },
    done: (answer: Answer) => void,
  ): void {
    const answer: Answer = {
      control: this.#control(host, line, control),
      reads: reads.map((command) => host.read(line.run, command)),
    };
    if (!change) {
      done(answer);
      return;
    }
    line.running++;
    this.#change(host, line.run, change, parcel, (said) => {
      line.running--;
      if (said) done({ ...answer, change: said });
    });
  }

  #control(host: ModelHost, line: Line, control: Control): ControlAnswers {
    const { run } = line;
    const now = Math.floor(this.#events.now() / 1000);
    const answers: ControlAnswers = {};
    if (control.lock) answers.lock = host.takeLock(run, control.lock, now);
    if (control.renew) answers.renew = host.renewLock(run, now);
    if (control.fence) answers.fence = this.#fence(host, line);
    if (control.unit !== undefined) answers.unit = host.record(run, control.unit);
    if (control.unlock) {
      host.unlock(run);
      answers.unlock = 'done';
    }
    return answers;
  }

  /** Completes a change at once: its events were lost with the machine of the controller. */
  finish({ host: name, run, change, done }: RunningChange): void {
    const host = this.hosts.get(name);
    if (!host || change.unit === undefined) return;
    let code = 0;
    for (const action of change.actions.slice(done)) {
      code = host.act(run, action).code;
      if (code !== 0) break;
    }
    host.finished(run, change.unit, code);
  }

  #fence({ name }: ModelHost, own: Line): 'clear' | 'busy' {
    const others = (this.#lines.get(name) ?? []).filter(
      (line) => line !== own && line.run === own.run,
    );
    if (others.some(({ running }) => running > 0)) return 'busy';
    for (const { onTheWay } of others) for (const parcel of onTheWay) parcel.isForgotten = true;
    return 'clear';
  }

  /**
   * Makes the copies, performs the actions one by one and records the end. Ends early if the
   * controller aborts it.
   */
  #change(
    host: ModelHost,
    run: string,
    change: Change,
    parcel: { isForgotten: boolean },
    done: (answer: ChangeAnswer | undefined) => void,
  ): void {
    const { actions, unit, copies: wanted = [] } = change;
    const going: RunningChange = { host: host.name, run, change, done: 0 };
    const outputs: CommandOutput[] = [];
    const copies = new Map<string, Buffer>();
    if (unit !== undefined) {
      for (const path of wanted) {
        host.capture(run, unit, path);
        const copy = host.smallCopy(run, unit, path);
        if (copy) copies.set(path, copy);
      }
      host.started(run, unit);
      this.running.add(going);
    }
    const next = (index: number): void => {
      this.#events.after(1 + this.#chance.below(20), () => {
        if (parcel.isForgotten) {
          if (unit !== undefined) host.interrupted(run, unit);
          this.running.delete(going);
          done(undefined);
          return;
        }
        const action = actions[index];
        const output = action && host.act(run, action);
        if (output) outputs.push(output);
        going.done = outputs.length;
        if (output?.code === 0 && index + 1 < actions.length) {
          next(index + 1);
          return;
        }
        if (unit !== undefined) host.finished(run, unit, output?.code ?? 0);
        this.running.delete(going);
        done({ outputs, ...(wanted.length > 0 ? { copies } : {}) });
      });
    };
    next(0);
  }
}

function lost(host: string): ConnectError {
  const details = { host, stage: 'lost', retryable: true } as const;
  return new ConnectError(`The connection to "${host}" was lost.`, details);
}
