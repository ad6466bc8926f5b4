import type { HostAddress, JumpAddress } from '../core/host.ts';
import { isSourceObject, type Source } from '../core/value.ts';
import { keyFile } from '../util/key-file.ts';
import { readSshArguments } from '../util/ssh-arguments.ts';
import { MapReader } from '../yaml/map-reader.ts';
import type { ToolNotes } from './tool-notes.ts';

/** Connection of a host in the file of a tool. */
export interface ToolConnection {
  address: string;
  reach: Partial<HostAddress>;
  password?: string | undefined;
  /** Value of the variable `ansible_connection`. */
  ansibleConnection?: 'local' | 'openssh' | 'winrm';
}

export interface ConnectionReading {
  file: string;
  /** Login user of hosts without one in the file. */
  defaultUser: string | undefined;
  /** Bastion of hosts without one of their own. */
  bastion?: MapReader | undefined;
  notes: ToolNotes;
}

/**
 * Reads the connection of a host in files of mkectl, k0sctl and launchpad: `ssh`, `openSSH`,
 * `winRM` or `localhost`. In older formats, `address`, `sshPort`, `sshKeyPath` and `user` are keys
 * of the host itself.
 */
export function readConnection(
  host: MapReader,
  reading: ConnectionReading,
): ToolConnection | undefined {
  const beside: Beside = {
    ...place(host),
    user: host.string('user'),
    keyPath: host.string('keyPath') ?? host.string('sshKeyPath'),
  };
  const ssh = host.reader('ssh');
  const openSsh = host.reader('openSSH');
  const winRm = host.reader('winRM') ?? host.reader('winrm');
  const isLocal = readLocalhost(host);
  // "localhost" wins, as in launchpad, whose older formats have all of these keys.
  if (isLocal) {
    const reach = { transport: 'local', transportGiven: true } as const;
    return { address: 'localhost', reach, ansibleConnection: 'local' };
  }
  const given = [ssh, openSsh, winRm].filter((one) => one !== undefined);
  if (given.length > 1)
    host.problem('ssh', 'A host can have only one of "ssh", "openSSH", "winRM" and "localhost".');
  if (winRm) return fromWinRm(winRm, beside);
  if (openSsh) return fromOpenSsh(openSsh, beside, reading);
  if (ssh || beside.address !== undefined) {
    const bastion = host.reader('bastion') ?? reading.bastion;
    return fromSsh(ssh, beside, { ...reading, bastion });
  }
  return undefined;
}

interface Beside {
  address: string | undefined;
  user: string | undefined;
  port: number | undefined;
  keyPath: string | undefined;
}

function readLocalhost(host: MapReader): boolean {
  const value = host.value('localhost');
  if (isSourceObject(value)) {
    const map = new MapReader(value, host.map, host.problems);
    const enabled = map.boolean('enabled');
    map.close('"localhost"');
    return enabled === true;
  }
  return value === undefined || value === null ? false : host.boolean('localhost') === true;
}

function fromSsh(
  ssh: MapReader | undefined,
  beside: Beside,
  reading: ConnectionReading,
): ToolConnection | undefined {
  const { file, defaultUser, notes } = reading;
  const own = ssh && place(ssh);
  const address = own?.address ?? beside.address;
  const user = ssh?.string('user') ?? beside.user;
  const keyPath = ssh && keyOf(ssh);
  const reach: Partial<HostAddress> = {
    port: own?.port ?? beside.port,
    user: user ?? defaultUser,
    keyPath: keyFile(keyPath ?? beside.keyPath, file),
    ...(user === undefined && defaultUser !== undefined ? { userByDefault: true as const } : {}),
  };
  const bastion = ssh?.reader('bastion') ?? reading.bastion;
  const jump = bastion && bastionOf(bastion, reading);
  if (jump) reach.jumps = [jump];
  if (!ssh) return address === undefined ? undefined : { address, reach };
  const hostKey = ssh.string('hostKey');
  if (hostKey !== undefined) reach.hostKey = hostKey;
  const password = ssh.string('password');
  Object.assign(reach, optionsOf(ssh, reading));
  notes.unknown(ssh, '"ssh"');
  return address === undefined ? undefined : { address, reach, password };
}

/** Reads a bastion, which can be reached through another bastion. */
function bastionOf(bastion: MapReader, reading: ConnectionReading): JumpAddress | undefined {
  const { file, defaultUser, notes } = reading;
  const { address, port } = place(bastion);
  const hostKey = bastion.string('hostKey');
  const further = bastion.reader('bastion');
  const { sshArgs } = optionsOf(bastion, reading);
  const jump = {
    name: address ?? '',
    address: address ?? '',
    port,
    user: bastion.string('user') ?? defaultUser,
    keyPath: keyFile(keyOf(bastion), file),
    ...(hostKey === undefined ? {} : { hostKey }),
    ...(sshArgs === undefined ? {} : { sshArgs }),
  };
  const outer = further && bastionOf(further, reading);
  notes.unknown(bastion, '"bastion"');
  if (address === undefined) {
    bastion.problem('address', 'A bastion needs "address".');
    return undefined;
  }
  return outer ? { ...jump, jumps: [outer] } : jump;
}

function fromOpenSsh(
  map: MapReader,
  beside: Beside,
  reading: ConnectionReading,
): ToolConnection | undefined {
  const { file, notes } = reading;
  const { address = beside.address, port = beside.port } = place(map);
  const configPath = map.string('configPath');
  const config = configPath === undefined ? [] : ['-F', keyFile(configPath, file) ?? configPath];
  const { sshArgs = [] } = optionsOf(map, reading);
  const args = [...config, ...sshArgs];
  if (map.boolean('disableMultiplexing') === true)
    notes.unused('disableMultiplexing', map.keyAt('disableMultiplexing'));
  const reach: Partial<HostAddress> = {
    transport: 'openssh',
    transportGiven: true,
    port,
    user: map.string('user') ?? beside.user,
    keyPath: keyFile(keyOf(map) ?? beside.keyPath, file),
    ...(args.length === 0 ? {} : { sshArgs: args }),
  };
  notes.unknown(map, '"openSSH"');
  return address === undefined ? undefined : { address, reach, ansibleConnection: 'openssh' };
}

function fromWinRm(map: MapReader, beside: Beside): ToolConnection | undefined {
  const { address = beside.address, port = beside.port } = place(map);
  if (address === undefined) return undefined;
  const reach: Partial<HostAddress> = {
    port,
    user: map.string('user') ?? beside.user,
    unmanageable: 'it uses WinRM, which runner does not support',
  };
  return { address, reach, ansibleConnection: 'winrm' };
}

/** Converts `options: { Name: value }` to arguments of ssh. */
function optionsOf(
  map: MapReader,
  { file, notes }: ConnectionReading,
): { sshArgs?: string[]; transport?: 'openssh' } {
  const options = map.object('options');
  if (!options) return {};
  for (const name of Object.keys(options))
    if (!/^[A-Za-z0-9]+$/.test(name))
      map.problem('options', `"${name}" is not a valid name of an ssh option.`);
  const words = Object.entries(options).flatMap(([name, value]) =>
    settingsOf(value).flatMap((setting) => ['-o', `${name}=${setting}`]),
  );
  const read = readSshArguments(words, file);
  if (read.problem !== undefined) map.problem('options', `"options": ${read.problem}.`);
  for (const { option, hint } of read.notes)
    notes.add(`The ssh option "${option}" is ignored.`, map.map.of(options), hint);
  return {
    ...(read.args.length === 0 ? {} : { sshArgs: read.args }),
    ...(read.needsOpenSsh ? { transport: 'openssh' as const } : {}),
  };
}

function settingsOf(value: Source): string[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap(settingsOf);
  if (typeof value === 'boolean') return [value ? 'yes' : 'no'];
  return [String(value)];
}

function keyOf(map: MapReader): string | undefined {
  const path = map.string('keyPath') ?? map.string('key');
  return path === '' ? undefined : path;
}

/** Reads `address` and `port`. The address can be in brackets, followed by a port. */
function place(map: MapReader): Pick<Beside, 'address' | 'port'> {
  const text = map.string('address');
  const [, address, port] = /^\[([^\]]+)\](?::(\d+))?$/.exec(text ?? '') ?? [];
  return {
    address: address ?? text,
    port: portOf(map, 'port') ?? portOf(map, 'sshPort') ?? (port ? Number(port) : undefined),
  };
}

/** Reads a port, which is text if an environment variable was substituted. */
function portOf(map: MapReader, key: string): number | undefined {
  const value = map.value(key);
  if (value === undefined || value === null) return undefined;
  const port = Number(value);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  map.problem(key, `"${key}" must be a number from 1 to 65535.`);
  return undefined;
}
