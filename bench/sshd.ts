import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answers } from '../test/helpers/openssh/answers.ts';

export interface BenchHost {
  name: string;
  address: string;
  port: number;
}

/** OpenSSH servers on loopback addresses, default MaxStartups and MaxSessions, one key for all. */
export class SshdHosts {
  readonly dir: string;
  readonly hosts: BenchHost[];
  readonly key: string;
  readonly knownHosts: string;
  readonly user: string;
  readonly #servers: ChildProcess[];

  private constructor(dir: string, hosts: BenchHost[], servers: ChildProcess[], user: string) {
    this.dir = dir;
    this.hosts = hosts;
    this.key = join(dir, 'id');
    this.knownHosts = join(dir, 'known_hosts');
    this.user = user;
    this.#servers = servers;
  }

  static async start(dir: string, count: number, rttMs = 0): Promise<SshdHosts> {
    mkdirSync('/run/sshd', { recursive: true });
    mkdirSync('/var/lib/runner', { recursive: true });
    for (const name of ['id', 'host_key']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, name)]);
    }
    const hostKey = readFileSync(join(dir, 'host_key.pub'), 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ');
    const hosts = Array.from({ length: count }, (_, index) => ({
      name: `b${String(index + 1)}`,
      address: `127.88.${String(Math.floor(index / 250))}.${String((index % 250) + 1)}`,
      port: 2299,
    }));
    const servers = hosts.map(({ name, address, port }) => {
      const config = join(dir, `${name}.conf`);
      writeFileSync(
        config,
        [
          `ListenAddress ${address}`,
          `Port ${String(port)}`,
          `HostKey ${join(dir, 'host_key')}`,
          `AuthorizedKeysFile ${join(dir, 'id.pub')}`,
          'StrictModes no',
          'UsePAM no',
          'PidFile none',
          // bash then treats the session as nested and does not read the user's .bashrc, which would distort the results.
          'SetEnv SHLVL=2',
          'Subsystem sftp internal-sftp',
          '',
        ].join('\n'),
      );
      // Each host has its own records, as on real hosts; otherwise all would append to the same file.
      const own = 'mount -t tmpfs tmpfs /var/lib/runner && exec /usr/sbin/sshd -D -f "$0"';
      return spawn('unshare', ['--mount', 'sh', '-c', own, config], { stdio: 'ignore' });
    });
    const reached = rttMs === 0 ? hosts : hosts.map((host) => ({ ...host, port: host.port + 1 }));
    if (rttMs > 0) servers.push(await startRelay(hosts, rttMs / 2));
    writeFileSync(
      join(dir, 'known_hosts'),
      reached.map(({ address, port }) => `[${address}]:${String(port)} ${hostKey}\n`).join(''),
    );
    const user = execFileSync('id', ['-un']).toString().trim();
    const started = new SshdHosts(dir, reached, servers, user);
    await Promise.all(hosts.map(({ address, port }) => answers(address, port, () => '')));
    return started;
  }

  stop(): void {
    for (const server of this.#servers) server.kill('SIGTERM');
  }
}

/** The hosts with delay: the same addresses, one port higher. */
async function startRelay(hosts: BenchHost[], delayMs: number): Promise<ChildProcess> {
  const pairs = hosts.map(
    ({ address, port }) => `${address}:${String(port + 1)}=${address}:${String(port)}`,
  );
  const script = new URL('relay.mjs', import.meta.url).pathname;
  const relay = spawn(process.execPath, [script, String(delayMs), ...pairs], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(relay.stdout, 'data');
  return relay;
}
