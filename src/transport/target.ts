import { userInfo } from 'node:os';
import type { JumpAddress } from '../core/host.ts';
import { ConnectError } from '../core/errors.ts';
import { expandHome } from '../util/paths.ts';
import { argumentsForJumps } from '../util/ssh-arguments.ts';
import { hostToken, KnownHosts } from './known-hosts.ts';
import type { SshConfig, SshConfigAnswer } from './ssh-config.ts';

/** All parameters of a connection, from the inventory, ssh_config(5) and defaults, in this order. */
export interface SshTarget {
  /** Name in the inventory; for a jump host, the text in ProxyJump. */
  name: string;
  address: string;
  port: number;
  user: string;
  /** Private keys to try, in order. Missing files are ignored unless `keysGiven`. */
  keyFiles: string[];
  /** The inventory names the key, so no other key is tried. */
  keysGiven: boolean;
  /** Use only agent keys that match `keyFiles`. */
  identitiesOnly: boolean;
  agent: string | undefined;
  certificates: string[];
  /** Jump hosts in order; the first one is connected to directly. */
  jumps: SshTarget[];
  proxyCommand: string | undefined;
  knownHosts: KnownHosts;
  /** HashKnownHosts: hash the names of new entries. */
  hashKnownHosts: boolean;
  /** Name of the host key in known_hosts: the address, `[address]:port`, or HostKeyAlias. */
  keyName: string;
  /** The only trusted key, from the inventory: type and base64, or the fingerprint. */
  hostKey: string | undefined;
  connectTimeoutMs: number;
  /** ServerAliveInterval and ServerAliveCountMax. */
  keepalive: { intervalMs: number; misses: number };
}

export interface TargetDefaults {
  config: SshConfig;
  /** Replace the files from ssh_config(5). */
  knownHostsFiles: string[] | undefined;
  /** Default login user. */
  user: string;
  /** Default keys, used only if the `ssh` program is not installed. */
  keyFiles: string[];
  /** Socket of the agent, from the environment. */
  agent: string | undefined;
  connectTimeoutMs: number;
}

const JUMPS_LIMIT = 8;
/** A peer that does not respond for about a minute is considered dead. */
const KEEPALIVE_SECONDS = 15;
const KEEPALIVE_MISSES = 3;

/** Determines the connection parameters of hosts. Reads each known_hosts file once. */
export class TargetResolver {
  readonly #defaults: TargetDefaults;
  readonly #knownHosts = new Map<string, KnownHosts>();

  constructor(defaults: TargetDefaults) {
    this.#defaults = defaults;
  }

  get config(): SshConfig {
    return this.#defaults.config;
  }

  /** The user who runs commands on the controller. */
  get localUser(): string {
    return this.#defaults.user;
  }

  /** Files from the command line, which replace all others. */
  get knownHostsFiles(): string[] | undefined {
    return this.#defaults.knownHostsFiles;
  }

  /** @throws ConnectError if ProxyJump is circular; UsageError if the ssh configuration is not valid */
  async resolve(host: JumpAddress, depth = 0): Promise<SshTarget> {
    const { config, agent, user, keyFiles, connectTimeoutMs } = this.#defaults;
    const answer = await config.lookUp(host);
    const one = (keyword: string): string | undefined => meaningful(answer.get(keyword)?.[0]);
    const address = one('hostname') ?? host.address;
    const port = host.port ?? Number(one('port') ?? 22);
    const login = host.user ?? one('user') ?? user;
    const expand = (text: string) => expandTokens(text, { host, address, port, login });
    const agentSetting = answer.get('identityagent')?.[0];
    const alias = one('hostkeyalias');
    const words = argumentsForJumps(host.sshArgs ?? []);
    const way =
      host.jumps ??
      one('proxyjump')
        ?.split(',')
        .map((word): JumpAddress => ({ ...parseJump(word), sshArgs: words })) ??
      [];
    if (depth > JUMPS_LIMIT) {
      throw new ConnectError(`ProxyJump of "${host.name}" is circular.`, {
        host: host.name,
        stage: 'resolve',
        retryable: false,
        hint: `Check ProxyJump with "ssh -G ${host.address}".`,
      });
    }
    const jumps: SshTarget[] = [];
    for (const [index, hop] of way.entries()) {
      const jump = await this.resolve(hop, depth + 1);
      // Like ssh, only the first jump host uses its own ProxyJump; the others are reached through the first.
      if (index === 0) jumps.push(...jump.jumps);
      jumps.push({ ...jump, jumps: [] });
    }
    return {
      name: host.name,
      address,
      port,
      user: login,
      keyFiles:
        host.keyPath === undefined
          ? (answer.get('identityfile')?.map((file) => expandHome(expand(file))) ?? keyFiles)
          : [host.keyPath],
      keysGiven: host.keyPath !== undefined,
      identitiesOnly: host.keyPath !== undefined || one('identitiesonly') === 'yes',
      agent: agentSocket(agentSetting === undefined ? undefined : expand(agentSetting), agent),
      certificates: (answer.get('certificatefile') ?? []).map((file) => expandHome(expand(file))),
      jumps,
      proxyCommand: jumps.length > 0 ? undefined : proxyCommand(one('proxycommand'), expand),
      knownHosts: this.#keysOf(answer, expand),
      hashKnownHosts: one('hashknownhosts') === 'yes',
      keyName: alias ?? hostToken(address, port),
      hostKey: host.hostKey,
      connectTimeoutMs: timeoutOf(host, one('connecttimeout')) ?? connectTimeoutMs,
      keepalive: {
        intervalMs: 1000 * (Number(one('serveraliveinterval')) || KEEPALIVE_SECONDS),
        misses: Number(one('serveralivecountmax') ?? KEEPALIVE_MISSES),
      },
    };
  }

  /** Discards cached host keys after new ones were stored. */
  rereadKnownHosts(): void {
    this.#knownHosts.clear();
  }

  #keysOf(answer: SshConfigAnswer, expand: (text: string) => string): KnownHosts {
    const files =
      this.#defaults.knownHostsFiles ??
      ['userknownhostsfile', 'globalknownhostsfile']
        .flatMap(
          (keyword) => answer.get(keyword)?.[0]?.split(/\s+/) ?? fallbackFiles[keyword] ?? [],
        )
        .filter((file) => file !== 'none')
        .map((file) => expandHome(expand(file)));
    const key = files.join('\n');
    const known = this.#knownHosts.get(key) ?? new KnownHosts(files);
    this.#knownHosts.set(key, known);
    return known;
  }
}

const fallbackFiles: Record<string, string[]> = {
  userknownhostsfile: ['~/.ssh/known_hosts', '~/.ssh/known_hosts2'],
  globalknownhostsfile: ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
};

/** ConnectTimeout counts only if the inventory sets it for the host; for all hosts, a command-line flag does. */
function timeoutOf({ sshArgs = [] }: JumpAddress, seconds: string | undefined): number | undefined {
  const isSet = sshArgs.some((word) => /^connecttimeout=/i.test(word));
  return isSet && Number(seconds) > 0 ? 1000 * Number(seconds) : undefined;
}

function meaningful(value: string | undefined): string | undefined {
  return value === undefined || value === '' || value === 'none' ? undefined : value;
}

function proxyCommand(
  command: string | undefined,
  expand: (text: string) => string,
): string | undefined {
  return command === undefined ? undefined : expand(command);
}

/** `IdentityAgent`: a path, `none`, `SSH_AUTH_SOCK`, or a variable written with a dollar sign. */
function agentSocket(setting: string | undefined, agent: string | undefined): string | undefined {
  if (setting === 'none') return undefined;
  if (setting === undefined || setting === 'SSH_AUTH_SOCK') return agent;
  if (setting.startsWith('$')) return agent;
  return expandHome(setting);
}

/** Parses a ProxyJump entry: `[user@]host[:port]` or `ssh://[user@]host[:port]`. */
function parseJump(word: string): JumpAddress {
  const text = word.trim().replace(/^ssh:\/\//, '');
  const parts = /^(?:(.+)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text);
  return {
    name: text,
    address: parts?.[2] ?? parts?.[3] ?? text,
    port: parts?.[4] === undefined ? undefined : Number(parts[4]),
    user: parts?.[1],
    keyPath: undefined,
  };
}

/** Expands tokens for host and user, see "TOKENS" in ssh_config(5). */
function expandTokens(
  text: string,
  {
    host,
    address,
    port,
    login,
  }: { host: { address: string }; address: string; port: number; login: string },
): string {
  const values: Record<string, string> = {
    '%': '%',
    h: address,
    n: host.address,
    p: String(port),
    r: login,
    u: userInfo().username,
    d: expandHome('~'),
    i: String(userInfo().uid),
  };
  return text.replaceAll(/%(.)/g, (whole, token: string) => values[token] ?? whole);
}
