import pLimit from 'p-limit';
import { exitCodes } from '../../core/states.ts';
import { RunnerError, UsageError } from '../../core/errors.ts';
import type { HostAddress, Identity } from '../../core/host.ts';
import type { InventoryHost } from '../../core/inventory.ts';
import { HostConnections } from '../../transport/connections.ts';
import { sendHttp } from '../../transport/http.ts';
import { printable } from '../../util/text.ts';
import { newCommand } from '../command.ts';
import { becomePassword } from '../flags/become.ts';
import { addConnectOptions, type ConnectFlags } from '../flags/connect.ts';
import { addVaultOptions, openVault } from '../flags/vault.ts';
import { wholeNumber } from '../flags/words.ts';
import { inventoryOption, refuseUnmanageable, selectHosts } from '../host-selection.ts';
import { createReach, unlockKeys } from '../reach.ts';
import type { World } from '../world.ts';

interface ExecFlags extends ConnectFlags {
  inventory?: string;
  forks: string;
  timeout: string;
  shell?: boolean;
  oneLine?: boolean;
  become: boolean;
  becomeUser: string;
  becomeMethod: Identity['method'];
}

interface Answer {
  host: string;
  code: number | undefined;
  stdout: string;
  stderr: string;
}

/**
 * `runner exec PATTERN -- COMMAND …`: runs a command on many hosts without a run: nothing is
 * recorded, no host is locked, and nothing can be rolled back.
 */
export async function execCommand(world: World, argv: string[]): Promise<number> {
  const end = argv.indexOf('--');
  const words = end === -1 ? [] : argv.slice(end + 1);
  const command = newCommand(world, 'runner exec')
    .description(
      'Run a command on hosts in parallel. The command is not recorded and cannot be rolled back; use a playbook for changes.',
    )
    .usage('PATTERN [options] -- COMMAND …')
    .argument(
      '<pattern...>',
      'hosts or groups of the inventory or, without an inventory, [user@]host[:port]',
    )
    .option(...inventoryOption)
    .option('-f, --forks <N>', 'number of hosts to work on in parallel', '50')
    .option('--timeout <SECONDS>', 'time limit of the command', '300')
    .option('--shell', 'run the command, which must be one argument, with /bin/sh')
    .option('-o, --one-line', 'print one line per host')
    .option('-b, --become', 'run as another user', false)
    .option('--become-user <NAME>', 'user to become', 'root')
    .option('--become-method <METHOD>', 'privilege escalation method: sudo, su or doas', 'sudo');
  const own = end === -1 ? argv : argv.slice(0, end);
  addVaultOptions(addConnectOptions(command)).parse(own, { from: 'user' });
  await openVault(world, own);
  const flags = command.opts<ExecFlags>();
  if (words.length === 0)
    throw new UsageError('No command was given.', {
      hint: 'Put the command after "--", for example: runner exec all -- uptime.',
    });
  if (flags.shell === true && words.length > 1)
    throw new UsageError('With --shell, the command must be one argument.', {
      hint: 'Put it in quotes.',
    });
  const hosts = selectHosts(world, flags, command.args);
  if (hosts.length === 0) throw new UsageError('No host matches.');
  refuseUnmanageable(hosts);
  const argv0 = flags.shell === true ? ['/bin/sh', '-c', words[0] ?? ''] : words;
  const answers = await ask(world, flags, hosts, argv0, (answer) => {
    const text = world.redactor.mask(shown(answer, flags.oneLine === true));
    // Control characters are escaped only for a terminal.
    world.stdout.write(world.stdout.isTTY ? printable(text) : text);
  });
  const failed = answers.filter(({ code }) => code !== 0);
  if (failed.length === 0) return exitCodes.done;
  world.stderr.write(
    `Failed on ${failed
      .map(({ host }) => host)
      .sort()
      .join(', ')}.\n`,
  );
  return exitCodes.preflight_failed;
}

async function ask(
  world: World,
  flags: ExecFlags,
  hosts: readonly InventoryHost[],
  argv: string[],
  onAnswer: (answer: Answer) => void,
): Promise<Answer[]> {
  const reach = await createReach(world, flags);
  await unlockKeys(world, reach, {
    file: '',
    hosts: new Map(hosts.map((host) => [host.name, host])),
    groups: new Map(),
  });
  const password = await becomePassword(world, flags);
  // As for a playbook, variables of the inventory override the options.
  const identityOn = ({ become }: HostAddress): Identity => {
    const enabled = become?.enabled ?? flags.become;
    return {
      user: enabled ? (become?.user ?? flags.becomeUser) : undefined,
      method: become?.method ?? flags.becomeMethod,
      password: enabled ? password : undefined,
    };
  };
  const connections = new HostConnections({ ...reach, sendHttp, run: 'exec' });
  const limit = pLimit(wholeNumber(flags.forks, '--forks'));
  const timeoutMs = wholeNumber(flags.timeout, '--timeout') * 1000;
  const stop = new AbortController();
  const abort = () => {
    stop.abort();
  };
  // An interrupt also ends the commands on the hosts.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) world.signals.on(signal, abort);
  try {
    return await Promise.all(
      hosts.map(({ name, address }) =>
        limit(async () => {
          if (stop.signal.aborted) return { host: name, code: undefined, stdout: '', stderr: '' };
          const answer = await one(name, async () => {
            const session = await connections.session(address, identityOn(address));
            const { change } = await session.exchange(
              { change: { actions: [{ kind: 'exec', argv }] } },
              { timeoutMs, signal: stop.signal },
            );
            return change?.outputs[0];
          });
          onAnswer(answer);
          return answer;
        }),
      ),
    );
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) world.signals.off(signal, abort);
    await connections.close();
  }
}

async function one(
  host: string,
  work: () => Promise<{ code: number; stdout: string; stderr: string } | undefined>,
): Promise<Answer> {
  try {
    const output = await work();
    return { host, code: output?.code, stdout: output?.stdout ?? '', stderr: output?.stderr ?? '' };
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error;
    return { host, code: undefined, stdout: '', stderr: error.describe() };
  }
}

function shown({ host, code, stdout, stderr }: Answer, oneLine: boolean): string {
  const text = [stdout.trimEnd(), stderr.trimEnd()].filter((part) => part !== '').join('\n');
  const how = code === undefined ? 'error' : code === 0 ? '' : `exit code ${String(code)}`;
  if (oneLine) {
    const flat = text.replaceAll('\n', ' | ');
    return `${host}${how === '' ? '' : ` (${how})`}: ${flat}\n`;
  }
  const lines = text === '' ? '' : text.replaceAll(/^/gm, '  ');
  return `${host}${how === '' ? '' : ` (${how})`}:\n${lines === '' ? '' : `${lines}\n`}`;
}
