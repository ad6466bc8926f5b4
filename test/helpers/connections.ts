import { userInfo } from 'node:os';
import { HostConnections, type ConnectionOptions } from '../../src/transport/connections.ts';
import { sendHttp } from '../../src/transport/http.ts';
import { Keyring } from '../../src/transport/keyring.ts';
import { SshConfig } from '../../src/transport/ssh-config.ts';
import type { Clock } from '../../src/core/ports.ts';
import { systemRandom } from '../../src/util/random.ts';
import { sleep, systemClock } from '../../src/util/time.ts';
import { TargetResolver, type TargetDefaults } from '../../src/transport/target.ts';

export interface TestConnections {
  knownHosts?: string[];
  sshConfig?: string;
  agent?: string;
  keyFiles?: string[];
  passphrase?: (file: string, retry: boolean) => string | undefined;
  password?: string;
  transport?: 'ssh' | 'openssh';
  connectTimeoutMs?: number;
  run?: string;
}

/** A clock with pauses 20 times shorter. Time limits keep real time, like the hosts. */
const shortPauses: Clock = {
  ...systemClock,
  sleep: (ms, signal) => sleep(ms / 20, signal),
};

/** Connections as the command line makes them, without the user's own keys and configuration. */
export function testConnections(options: TestConnections = {}): HostConnections {
  const { connectTimeoutMs = 10_000, passphrase, knownHosts = [] } = options;
  const defaults: TargetDefaults = {
    config: new SshConfig(options.sshConfig ?? 'none'),
    knownHostsFiles:
      options.sshConfig === undefined || knownHosts.length > 0 ? knownHosts : undefined,
    user: userInfo().username,
    keyFiles: options.keyFiles ?? [],
    agent: options.agent,
    connectTimeoutMs,
  };
  const connection: ConnectionOptions = {
    targets: new TargetResolver(defaults),
    login: {
      keyring: new Keyring((file, retry) => Promise.resolve(passphrase?.(file, retry))),
      password: options.password,
    },
    sendHttp,
    clock: shortPauses,
    random: systemRandom,
    run: options.run ?? 'test',
    connectTimeoutMs,
    transport: options.transport,
  };
  return new HostConnections(connection);
}

export function localConnections(): HostConnections {
  return testConnections();
}
