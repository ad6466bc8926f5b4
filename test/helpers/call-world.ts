import { exec, type Action } from '../../src/core/action.ts';
import { ConnectError } from '../../src/core/errors.ts';
import type { CommandOutput } from '../../src/core/fact.ts';
import type { Exchange, HostAddress } from '../../src/core/host.ts';
import { createRegistry, type Module } from '../../src/core/module.ts';
import type { CallParts } from '../../src/engine/call.ts';
import type { Log } from '../../src/journal/log.ts';
import { localDisk } from '../../src/util/local-files.ts';
import { SteppingClock } from './stepping-clock.ts';
import { systemRandom } from '../../src/util/random.ts';

/** Exit code and output of a program on a host. Undefined: the host is unreachable. */
export type Answers = (host: string, command: string) => Partial<CommandOutput> | undefined;

const command: Module<{ cmd: string }> = {
  ...{ name: 'command', summary: '', shorthand: 'cmd', effect: 'changes' },
  args: { type: 'object', properties: { cmd: { type: 'string' } } },
  plan: ({ cmd }) => ({ actions: [exec(...cmd.split(' '))] }),
};
/** Changes a path, unless the host reports that nothing is left to do. */
const restorePath: Module<{ path: string }> = {
  ...{ name: 'restore_path', summary: '', effect: 'restores' },
  args: { type: 'object', properties: { path: { type: 'string' } } },
  plan: async ({ path }, { host }) => {
    const found = await host.fact({
      name: 'found',
      command: () => ({ script: `look ${path}` }),
      parse: ({ stdout }) => stdout,
    });
    return { actions: found === 'as before' ? [] : [exec('restore', path)] };
  },
};
const setup: Module = {
  ...{ name: 'setup', summary: '', effect: 'reads', args: { type: 'object' } },
  plan: async (_, { host }) => {
    const text = await host.fact({
      name: 'facts',
      command: () => ({ script: 'facts' }),
      parse: ({ stdout }) => stdout,
    });
    return { actions: [], run: [{ kind: 'set-facts', facts: { ansible_facts: { said: text } } }] };
  },
};

/** Services of a call, with hosts that return the given answers. @param log receives the signals */
export function callWorld(
  answers: Answers,
  log: Pick<Log, 'signal'>,
  { check = false } = {},
): { parts: CallParts & { clock: SteppingClock }; asked: string[] } {
  const asked: string[] = [];
  const output = ({ name }: HostAddress, text: string): CommandOutput => {
    asked.push(`${name}: ${text}`);
    const answer = answers(name, text);
    if (answer) return { code: 0, stdout: '', stderr: '', ...answer };
    throw new ConnectError(`${name} is unreachable`, {
      host: name,
      stage: 'connect',
      retryable: true,
    });
  };
  const run = (address: HostAddress, actions: readonly Action[]): CommandOutput[] =>
    actions.map((action) =>
      output(address, action.kind === 'exec' ? action.argv.join(' ') : action.kind),
    );
  const parts = {
    modules: createRegistry([command, setup], [restorePath]),
    connections: {
      session: (address: HostAddress) =>
        Promise.resolve({
          exchange: async ({ reads = [], change }: Exchange) =>
            Promise.resolve({
              control: {},
              reads: reads.map(({ script }) => output(address, script)),
              ...(change ? { change: { outputs: run(address, change.actions) } } : {}),
            }),
        }),
    },
    ...{ files: localDisk, log, clock: new SteppingClock() },
    settings: { check, diff: false, becomePassword: undefined },
    signal: new AbortController().signal,
    isStopping: () => false,
    sendHttp: () => Promise.reject(new Error('HTTP requests are not supported here.')),
    random: systemRandom,
    decrypt: () => {
      throw new Error('Nothing is encrypted here.');
    },
  };
  return { parts, asked };
}
