import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import pLimit from 'p-limit';
import { ConnectError, errorMessage, UsageError } from '../../core/errors.ts';
import { exitCodes } from '../../core/states.ts';
import type { InventoryHost } from '../../core/inventory.ts';
import { checkHostKey, judgeHostKey } from '../../transport/host-keys.ts';
import { fingerprint, keyType, knownHostsLine } from '../../transport/known-hosts.ts';
import { SshDialler } from '../../transport/ssh.ts';
import type { SshTarget, TargetResolver } from '../../transport/target.ts';
import { plural } from '../../util/text.ts';
import { newCommand } from '../command.ts';
import { print } from '../fail.ts';
import { addConnectOptions, type ConnectFlags } from '../flags/connect.ts';
import { addVaultOptions, openVault } from '../flags/vault.ts';
import { collect } from '../flags/words.ts';
import { inventoryOption, selectHosts } from '../host-selection.ts';
import { canAsk, confirm } from '../operator.ts';
import { createReach } from '../reach.ts';
import type { World } from '../world.ts';

interface TrustOptions extends ConnectFlags {
  inventory?: string;
  yes?: boolean;
  fingerprint?: string[];
}

interface Shown {
  target: SshTarget;
  key: Buffer;
}

const PARALLEL_HOSTS = 8;

/** `runner trust [PATTERN…]`: shows all new host keys for review, then adds them to known_hosts. */
export async function trustCommand(world: World, argv: string[]): Promise<number> {
  const command = newCommand(world, 'runner trust')
    .argument(
      '[pattern...]',
      'hosts or groups of the inventory or, without an inventory, [user@]host[:port]',
    )
    .description('Show the keys of new hosts and, after confirmation, add them to known_hosts.')
    .option(...inventoryOption)
    .option('-y, --yes', 'add the keys without confirmation; compare the fingerprints yourself')
    .option(
      '--fingerprint <SHA256>',
      'add only keys with this fingerprint, without confirmation; may be repeated',
      collect,
    );
  addVaultOptions(addConnectOptions(command)).parse(argv, { from: 'user' });
  await openVault(world, argv);
  const options = command.opts<TrustOptions>();
  const hosts = selectHosts(world, options, command.args).filter(({ name, address }) => {
    const { unmanageable } = address;
    if (unmanageable === undefined) return true;
    print(world, `${name}  skipped: ${unmanageable.replace(/\.$/, '')}.`);
    return false;
  });
  const { targets, login } = await createReach(world, options);
  const dialler = new SshDialler(login);
  try {
    return await new Trust(world, options, targets, dialler).run(hosts);
  } finally {
    await dialler.close();
  }
}

class Trust {
  readonly #world: World;
  readonly #options: TrustOptions;
  readonly #targets: TargetResolver;
  readonly #dialler: SshDialler;
  readonly #limit = pLimit(PARALLEL_HOSTS);

  constructor(world: World, options: TrustOptions, targets: TargetResolver, dialler: SshDialler) {
    this.#world = world;
    this.#options = options;
    this.#targets = targets;
    this.#dialler = dialler;
  }

  async run(hosts: readonly InventoryHost[]): Promise<number> {
    let stored = 0;
    // Hosts behind a new jump host become reachable once its key is trusted, so each hop needs
    // another round.
    for (;;) {
      const { fresh, refused, failed, known } = await this.#look(hosts);
      const wanted = this.#wanted(fresh);
      const blocked = failed.filter(({ stage }) => stage === 'host_key').length > 0;
      const agreed = wanted.length > 0 && (await this.#agree(wanted, fresh.length));
      if (agreed) {
        for (const one of wanted) this.#store(one);
        stored += wanted.length;
        this.#targets.rereadKnownHosts();
        if (blocked) continue;
      }
      for (const error of [...refused, ...failed]) this.#print(error.describe());
      this.#print(
        `${String(stored)} added, ${String(known - (agreed ? 0 : stored))} already known, ${String(fresh.length - (agreed ? wanted.length : 0))} new but not added, ${String(refused.length)} refused, ${String(failed.length)} unreachable.`,
      );
      const left = fresh.length - (agreed ? wanted.length : 0);
      return left + refused.length + failed.length === 0
        ? exitCodes.done
        : exitCodes.preflight_failed;
    }
  }

  async #look(hosts: readonly InventoryHost[]): Promise<{
    fresh: Shown[];
    refused: ConnectError[];
    failed: ConnectError[];
    known: number;
  }> {
    const resolved = await Promise.all(
      hosts
        .filter(({ address }) => address.transport !== 'local')
        .map(({ address }) => this.#targets.resolve(address)),
    );
    // Each hop is reached through the hops before it.
    const hops = resolved.flatMap((target) => [
      ...target.jumps.map((jump, index) => ({ ...jump, jumps: target.jumps.slice(0, index) })),
      target,
    ]);
    const unique = [...new Map(hops.map((target) => [target.keyName, target])).values()];
    const fresh: Shown[] = [];
    const refused: ConnectError[] = [];
    const failed: ConnectError[] = [];
    let known = 0;
    const look = async (target: SshTarget): Promise<void> => {
      try {
        const key = await this.#dialler.hostKey(target);
        const { verdict } = judgeHostKey(target, key);
        if (verdict === 'trusted' || verdict === 'expected') known++;
        else if (verdict === 'unknown') fresh.push({ target, key });
        else {
          const error = checkHostKey(target, key);
          if (error) refused.push(error);
        }
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        failed.push(error);
      }
    };
    await Promise.all(unique.map((target) => this.#limit(() => look(target))));
    return { fresh, refused, failed, known };
  }

  #wanted(fresh: readonly Shown[]): Shown[] {
    const { fingerprint: given } = this.#options;
    return given === undefined
      ? [...fresh]
      : fresh.filter(({ key }) => given.includes(fingerprint(key)));
  }

  async #agree(shown: readonly Shown[], fresh: number): Promise<boolean> {
    const names = Math.max(...shown.map(({ target }) => target.name.length));
    const keys = Math.max(...shown.map(({ target }) => target.keyName.length));
    for (const { target, key } of [...shown].sort((a, b) =>
      a.target.name.localeCompare(b.target.name),
    )) {
      this.#print(
        `${target.name.padEnd(names)}  ${target.keyName.padEnd(keys)}  ${keyType(key)}  ${fingerprint(key)}`,
      );
    }
    if (this.#options.yes === true || this.#options.fingerprint !== undefined) return true;
    if (!canAsk(this.#world)) {
      this.#print('No key was added. Compare the fingerprints, then run this again with --yes.');
      return false;
    }
    return confirm(
      this.#world,
      `Do these fingerprints match those of your ${plural(fresh, 'host')}? Add the keys to known_hosts?`,
    );
  }

  #store({ target, key }: Shown): void {
    const [file] = target.knownHosts.files;
    if (file === undefined)
      throw new UsageError('There is no known_hosts file to add keys to.', {
        hint: 'Name one with --known-hosts.',
      });
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      const unfinished = existsSync(file) && /[^\n]$/.test(readFileSync(file, 'utf8'));
      const salt = target.hashKnownHosts ? this.#world.random.bytes(20) : undefined;
      const line = knownHostsLine(target.keyName, key, salt);
      appendFileSync(file, `${unfinished ? '\n' : ''}${line}`, { mode: 0o600 });
    } catch (error) {
      throw new UsageError(
        `Cannot add the key of "${target.name}" to known_hosts: ${errorMessage(error)}.`,
      );
    }
  }

  #print(text: string): void {
    print(this.#world, text);
  }
}
