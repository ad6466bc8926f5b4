import { TaskError } from '../core/errors.ts';
import type { CommandOutput } from '../core/fact.ts';
import type { Control, ControlAnswers, HostLock, UnitRecord } from '../core/host.ts';
import { quote, quoteAll } from '../util/shell.ts';

/** The control requests, in the order in which a host answers them. */
const order = ['lock', 'renew', 'fence', 'unit', 'unlock'] as const satisfies (keyof Control)[];

const requested = (control: Control) => order.filter((name) => control[name] !== undefined);

/** One script per control request. */
export function controlScripts(control: Control, run: string): string[] {
  const { lock, unit } = control;
  return requested(control).map((name) => {
    if (name === 'unit') return `rn_unit ${quoteAll([run, String(unit)])}`;
    if (name !== 'lock' || !lock) return `rn_${name} ${quote(run)}`;
    const { owner, leaseSeconds, replaced = '' } = lock;
    return `rn_lock ${quoteAll([run, owner, String(leaseSeconds), replaced])}`;
  });
}

/** Parses the answers. @throws TaskError if an answer is not valid */
export function controlAnswers(
  control: Control,
  outputs: readonly CommandOutput[],
): ControlAnswers {
  const answers = requested(control).map((name, index) => {
    const output = outputs[index] ?? { code: -1, stdout: '', stderr: 'no answer' };
    return [name, readers[name](output)] as const;
  });
  return Object.fromEntries(answers);
}

const readers: { [K in keyof ControlAnswers]-?: (output: CommandOutput) => ControlAnswers[K] } = {
  lock({ stdout, stderr }): 'held' | HostLock {
    const answer = stdout.trim();
    if (answer === 'held') return 'held';
    const [, other = '', silent] = /^other (.*) (-?\d+)$/.exec(answer) ?? [];
    const [run = '', owner = '', since, lease] = other.split('|');
    if (silent === undefined)
      throw new TaskError(`The host cannot be locked: ${stderr.trim() || answer}.`, {
        hint: 'The lock is a file in /var/lib/runner, or in .local/state/runner of an unprivileged user.',
      });
    return {
      run,
      owner,
      since: Number(since),
      leaseSeconds: Number(lease),
      silentSeconds: Number(silent),
    };
  },
  renew({ stdout }) {
    const [word, lostTo = ''] = stdout.trim().split(' ');
    return word === 'lost' ? { lostTo } : 'held';
  },
  fence({ stdout, stderr }) {
    const word = stdout.trim();
    if (word === 'clear' || word === 'busy') return word;
    throw new TaskError(`Cannot check for earlier connections of the run: ${stderr}`);
  },
  unit({ stdout, stderr }): UnitRecord {
    const [state, code] = stdout.trim().split(' ');
    if (state === 'never_started' || state === 'running' || state === 'interrupted')
      return { state };
    if (state === 'finished') return { state, code: Number(code) };
    throw new TaskError(`Cannot read the record of a change on the host: ${stderr}`);
  },
  unlock: () => 'done',
};
