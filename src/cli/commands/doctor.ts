import { lookup } from 'node:dns/promises';
import { Option } from 'commander';
import { ConnectError, errorMessage, RunnerError, UsageError } from '../../core/errors.ts';
import { exitCodes } from '../../core/states.ts';
import type { Identity } from '../../core/host.ts';
import type { InventoryHost } from '../../core/inventory.ts';
import { HostConnections } from '../../transport/connections.ts';
import { sendHttp } from '../../transport/http.ts';
import { SshDialler } from '../../transport/ssh.ts';
import type { SshTarget } from '../../transport/target.ts';
import { newCommand } from '../command.ts';
import { print } from '../fail.ts';
import { becomePassword } from '../flags/become.ts';
import { addConnectOptions, type ConnectFlags } from '../flags/connect.ts';
import { addVaultOptions, openVault } from '../flags/vault.ts';
import { inventoryOption, selectHosts } from '../host-selection.ts';
import { createReach, unlockKeys, type Reach } from '../reach.ts';
import type { World } from '../world.ts';

interface DoctorOptions extends ConnectFlags {
  inventory?: string;
  becomeUser: string;
  becomeMethod: Identity['method'];
  become: boolean;
}

const STEP_TIMEOUT_MS = 30_000;
/**
 * With a larger difference of clocks, in seconds, certificates and tokens may count as expired or
 * not yet valid.
 */
const CLOCK_LIMIT = 30;

/**
 * `runner doctor HOST`: checks name, connection, key exchange, host key, login, shell and sudo one
 * by one.
 */
export async function doctorCommand(world: World, argv: string[]): Promise<number> {
  const command = newCommand(world, 'runner doctor')
    .argument('<host>', 'host of the inventory or, without an inventory, [user@]host[:port]')
    .description(
      'Diagnose the connection to a host step by step: the settings in use and where they come from, and how to fix a failed step.',
    )
    .option(...inventoryOption)
    .option('--become-user <NAME>', 'user to become', 'root')
    .addOption(
      new Option('--become-method <METHOD>', 'privilege escalation method')
        .choices(['sudo', 'su', 'doas'])
        .default('sudo'),
    )
    .option('--no-become', 'skip the check of privilege escalation');
  addVaultOptions(addConnectOptions(command)).parse(argv, { from: 'user' });
  await openVault(world, argv);
  const options = command.opts<DoctorOptions>();
  const [host, second] = selectHosts(world, options, command.args);
  if (!host || second) throw new UsageError('"runner doctor" checks one host at a time.');
  const reach = await createReach(world, options);
  await unlockKeys(world, reach, {
    file: '',
    hosts: new Map([[host.name, host]]),
    groups: new Map(),
  });
  const { become } = host.address;
  const identity: Identity | undefined = options.become
    ? {
        user: become?.user ?? options.becomeUser,
        method: become?.method ?? options.becomeMethod,
        password: await becomePassword(world, options),
      }
    : undefined;
  return new Doctor(world, reach, host).run(identity);
}

class Doctor {
  readonly #world: World;
  readonly #reach: Reach;
  readonly #host: InventoryHost;

  constructor(world: World, reach: Reach, host: InventoryHost) {
    this.#world = world;
    this.#reach = reach;
    this.#host = host;
  }

  async run(identity: Identity | undefined): Promise<number> {
    const connections = new HostConnections({ ...this.#reach, sendHttp, run: 'doctor' });
    try {
      const target = await this.#resolve();
      const openssh = (this.#reach.transport ?? this.#host.address.transport) === 'openssh';
      if (target && !openssh) await this.#connect(target);
      if (openssh) this.#print('connect', 'by the ssh program of the system (--transport openssh)');
      await this.#shell(connections);
      if (identity) await this.#become(connections, identity);
      this.#print('result', `"${this.#host.name}" is ready.`);
      return exitCodes.done;
    } catch (error) {
      if (!(error instanceof RunnerError)) throw error;
      const stage = error instanceof ConnectError ? error.stage.replace('_', ' ') : 'result';
      this.#print(stage, `FAILED. ${error.message}`);
      if (error.hint !== undefined) this.#print('', error.hint);
      return exitCodes.preflight_failed;
    } finally {
      await connections.close();
    }
  }

  async #resolve(): Promise<SshTarget | undefined> {
    const { address } = this.#host;
    if (address.transport === 'local') {
      this.#print('resolve', 'the controller itself; no connection is needed');
      return undefined;
    }
    if (address.unmanageable !== undefined) {
      throw new ConnectError(`"${address.name}" cannot be managed: ${address.unmanageable}.`, {
        host: address.name,
        stage: 'resolve',
        retryable: false,
      });
    }
    const { targets } = this.#reach;
    for (const line of await targets.config.explain(address)) this.#print('ssh config', line);
    const target = await targets.resolve(address);
    const { port, user, keyFiles, jumps, agent } = target;
    const origin = (given: unknown) =>
      given === undefined ? 'ssh config or default' : 'inventory';
    this.#print(
      'resolve',
      `${target.address} (${target.address === address.address ? 'inventory' : 'ssh config'}), port ${String(port)} (${origin(address.port)}), user "${user}" (${origin(address.user)})`,
    );
    this.#print('', `keys (${origin(address.keyPath)}): ${keyFiles.join(', ') || 'none'}`);
    this.#print('', `agent: ${agent ?? 'none (SSH_AUTH_SOCK is not set)'}`);
    this.#print('', `host keys: ${target.knownHosts.files.join(', ')}`);
    const first = jumps[0] ?? target;
    if (target.proxyCommand === undefined) {
      const found = await lookup(first.address, { all: true }).catch((error: unknown) => {
        throw new ConnectError(`Cannot resolve the name "${first.address}".`, {
          host: this.#host.name,
          stage: 'resolve',
          retryable: false,
          hint: 'Check the spelling, the DNS search domains and HostName in ssh_config.',
          cause: error,
        });
      });
      const addresses = found.map((one) => one.address).join(', ');
      this.#print('', `${first.address} resolves to ${addresses}`);
    }
    return target;
  }

  async #connect(target: SshTarget): Promise<void> {
    const dialler = new SshDialler(this.#reach.login);
    let offered = '';
    try {
      const line = await dialler.connect(target, (stage, detail) => {
        if (stage === 'connect') this.#print('connect', detail);
        if (stage === 'handshake') this.#print('key exchange', detail);
        if (stage === 'host_key') this.#print('host key', detail);
        if (stage === 'auth') {
          this.#print('login', detail);
          offered = detail.replace('offering ', '');
        }
      });
      line.close();
      this.#print('', `logged in as "${target.user}" with ${offered}`);
    } finally {
      await dialler.close();
    }
  }

  async #shell(connections: HostConnections): Promise<void> {
    const session = await connections.session(this.#host.address, {
      user: undefined,
      method: 'sudo',
      password: undefined,
    });
    const before = Date.now();
    const { reads } = await session.exchange(
      {
        reads: [
          { script: 'id -un; uname -sr' },
          { script: 'date +%s' },
          {
            script: `for t in ${requiredTools.join(' ')}; do command -v "$t" >/dev/null || echo "$t"; done`,
          },
          { script: 'mkdir -p "$rn_dir" && [ -w "$rn_dir" ] && echo "$rn_dir"' },
        ],
      },
      { timeoutMs: STEP_TIMEOUT_MS },
    );
    const [who, clock, tools, state] = reads;
    const took = Date.now() - before;
    const [name = '', kernel = ''] = (who?.stdout ?? '').split('\n');
    this.#print('shell', `/bin/sh as "${name}" on ${kernel}, round trip ${String(took)} ms`);
    const missing = tools?.stdout.trim().split('\n').join(', ') ?? '';
    if (missing !== '') {
      throw new ConnectError(`The host does not have these programs: ${missing}.`, {
        host: this.#host.name,
        stage: 'shell',
        retryable: false,
        hint: 'Install coreutils, or a busybox that has them.',
      });
    }
    const kept = state?.stdout.trim() ?? '';
    this.#print(
      '',
      kept === ''
        ? `cannot write the state directory: ${state?.stderr.trim() ?? ''}`
        : `state directory: ${kept}`,
    );
    const skew = Math.round(Number(clock?.stdout) - (before + took / 2) / 1000);
    this.#print(
      '',
      Math.abs(skew) <= CLOCK_LIMIT
        ? 'clock: in sync with the controller'
        : `WARNING: the clock is ${String(Math.abs(skew))} s ${skew > 0 ? 'ahead of' : 'behind'} the controller. Certificates and tokens may be rejected; runs are not affected.`,
    );
  }

  async #become(connections: HostConnections, identity: Identity): Promise<void> {
    try {
      const session = await connections.session(this.#host.address, identity);
      const { reads } = await session.exchange(
        { reads: [{ script: 'id -un' }] },
        { timeoutMs: STEP_TIMEOUT_MS },
      );
      this.#print('become', `"${reads[0]?.stdout.trim() ?? ''}" with ${identity.method}`);
    } catch (error) {
      if (error instanceof ConnectError) throw error;
      throw new ConnectError(errorMessage(error), {
        host: this.#host.name,
        stage: 'become',
        retryable: false,
      });
    }
  }

  #print(step: string, text: string): void {
    print(this.#world, `${step.padEnd(13)} ${text}`);
  }
}

/** Programs that runtime.sh calls on hosts. */
const requiredTools =
  'stat sha256sum base64 head tail tee wc cat cp mv rm ln mkdir rmdir chmod chown du df grep env sleep'.split(
    ' ',
  );
