import { TaskError } from '../core/errors.ts';
import type { CommandOutput, Fact, ReadCommand } from '../core/fact.ts';
import type { HostPath } from '../core/host-path.ts';
import type { HostSession } from '../core/host.ts';
import { HostCopy, type HostFacts } from '../core/module.ts';

interface Question {
  command: ReadCommand;
  resolve: (output: CommandOutput) => void;
  reject: (error: unknown) => void;
}

interface HostViewOptions {
  name: string;
  /** Opened for the first query. */
  session: () => Promise<HostSession>;
  signal: AbortSignal;
  factTimeoutMs: number;
  wantsDiff: boolean;
}

/**
 * Reads facts of a host for a module: each fact once, and all facts requested together in one round
 * trip.
 */
export class SessionHostView implements HostFacts {
  readonly name: string;
  readonly wantsDiff: boolean;
  readonly #options: HostViewOptions;
  readonly #facts = new Map<string, Promise<unknown>>();
  #questions: Question[] = [];

  constructor(options: HostViewOptions) {
    this.name = options.name;
    this.wantsDiff = options.wantsDiff;
    this.#options = options;
  }

  fact<P extends HostPath[], T>(fact: Fact<P, T>, ...params: P): Promise<T> {
    const key = JSON.stringify([fact.name, ...params]);
    const known = this.#facts.get(key) as Promise<T> | undefined;
    if (known) return known;
    const answer = this.#ask(fact.command(...params)).then((output) =>
      fact.parse(output, ...params),
    );
    this.#facts.set(key, answer);
    // A module may request several facts and await only one. Awaiting this promise still throws its
    // error.
    answer.catch(() => undefined);
    return answer;
  }

  copyOf(path: string): HostCopy {
    return new HostCopy(path);
  }

  #ask(command: ReadCommand): Promise<CommandOutput> {
    return new Promise((resolve, reject) => {
      this.#questions.push({ command, resolve, reject });
      if (this.#questions.length === 1) queueMicrotask(() => void this.#send());
    });
  }

  async #send(): Promise<void> {
    const questions = this.#questions;
    this.#questions = [];
    try {
      const session = await this.#options.session();
      const { reads: outputs } = await session.exchange(
        { reads: questions.map(({ command }) => command) },
        { timeoutMs: this.#options.factTimeoutMs, signal: this.#options.signal },
      );
      questions.forEach(({ resolve, reject }, index) => {
        const output = outputs[index];
        // A truncated listing would make existing entries look deleted.
        if (output?.bytes)
          reject(
            new TaskError(
              `An answer from "${this.name}" is too long: ${String(output.bytes.stdout)} bytes.`,
              { hint: 'Split the task into several, for example one for each directory.' },
            ),
          );
        else if (output) resolve(output);
        else reject(new TaskError(`"${this.name}" did not answer a query.`));
      });
    } catch (error) {
      for (const { reject } of questions) reject(error);
    }
  }
}
