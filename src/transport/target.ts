import { userInfo } from 'node:os';
import type { JumpAddress } from '../core/host.ts';
import { ConnectError } from '../core/errors.ts';
import { expandHome } from '../util/paths.ts';
import { wordsForJumps } from '../util/ssh-words.ts';
import { hostToken, KnownHosts } from './known-hosts.ts';
import type { SshConfig, SshConfigAnswer } from './ssh-config.ts';

/** Everything a connection needs, after inventory, ssh_config(5) and defaults had their say, in this order. */
export interface SshTarget {
  /** Name in the inventory; for a jump host the word of ProxyJump. */
  name: string;
  address: string;
  port: number;
  user: string;
  /** Private keys to try, in order. Files that do not exist are passed over unless `keysGiven`. */
  keyFiles: string[];
  /** The inventory names the key: no other is tried. */
  keysGiven: boolean;
  /** The agent is asked for the keys of `keyFiles` only. */
  identitiesOnly: boolean;
  agent: string | undefined;
  certificates: string[];
  /** Hosts to go through, the first is dialled directly. */
  jumps: SshTarget[];
  proxyCommand: string | undefined;
  knownHosts: KnownHosts;
  /** HashKnownHosts: names of new entries cannot be read. */
  hashKnownHosts: boolean;
  /** Under which the host key is stored: the address, `[address]:port`, or HostKeyAlias. */
  keyName: string;
  /** The only key that is trusted, as the inventory gives it: type and base64, or the fingerprint. */
  hostKey: string | undefined;
  connectTimeoutMs: number;
  /** ServerAliveInterval and ServerAliveCountMax. */
  keepalive: { intervalMs: number; misses: number };
}

export interface TargetDefaults {
  config: SshConfig;
  /** Instead of the files that ssh_config(5) names. */
  knownHostsFiles: string[] | undefined;
  /** Login when nothing else names one. */
  user: string;
  /** Keys tried when nothing else names one, used only where there is no `ssh` program to say. */
  keyFiles: string[];
  /** Socket of the agent, from the environment. */
  agent: string | undefined;
  connectTimeoutMs: number;
}

const JUMPS_LIMIT = 8;
/** A peer that says nothing for a minute is taken for dead. */
const KEEPALIVE_SECONDS = 15;
const KEEPALIVE_MISSES = 3;

/** Works out how to reach hosts; reads each known_hosts file once. */
export class TargetResolver {
  readonly #defaults: TargetDefaults;
  readonly #knownHosts = new Map<string, KnownHosts>();

  constructor(defaults: TargetDefaults) {
    this.#defaults = defaults;
  }

  get config(): SshConfig {
    return this.#defaults.config;
  }

  /** Who runs commands on the controller itself. */
  get localUser(): string {
    return this.#defaults.user;
  }

  /** Given on the command line: every other file is left aside. */
  get knownHostsFiles(): string[] | undefined {
    return this.#defaults.knownHostsFiles;
  }

  /** @throws ConnectError for a ProxyJump that leads in circles; UsageError when the configuration is broken */
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
    const words = wordsForJumps(host.sshArgs ?? []);
    const way =
      host.jumps ??
      one('proxyjump')
        ?.split(',')
        .map((word): JumpAddress => ({ ...parseJump(word), sshArgs: words })) ??
      [];
    if (depth > JUMPS_LIMIT) {
      throw new ConnectError(`ProxyJump of "${host.name}" leads in circles.`, {
        host: host.name,
        stage: 'resolve',
        retryable: false,
        hint: `See: ssh -G ${host.address}.`,
      });
    }
    const jumps: SshTarget[] = [];
    for (const [index, hop] of way.entries()) {
      const jump = await this.resolve(hop, depth + 1);
      // The first hop may itself be behind another; the hops after it are reached through it, as ssh does.
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

  /** Forgets the host keys that were read, since more are stored now. */
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

/** Only an inventory says it for a host; for all hosts that is a flag. */
function timeoutOf({ sshArgs = [] }: JumpAddress, seconds: string | undefined): number | undefined {
  const said = sshArgs.some((word) => /^connecttimeout=/i.test(word));
  return said && Number(seconds) > 0 ? 1000 * Number(seconds) : undefined;
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

/** `[user@]host[:port]` or `ssh://[user@]host[:port]`, as ProxyJump has it. */
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

/** The tokens of ssh_config(5), "TOKENS", that name host and user. */
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
