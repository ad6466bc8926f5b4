import type { HostAddress, HostBecome, Identity } from '../core/host.ts';
import type { HostPasswords } from '../core/inventory.ts';
import type { JsonObject } from '../core/json.ts';
import { connectionVariable } from './connection-variables.ts';
import { keyFile } from './key-file.ts';
import { splitWords } from './shell.ts';
import { ALWAYS_CHECKED, readSshArguments } from './ssh-arguments.ts';

/** A problem with a connection variable. */
export interface Remark {
  variable: string;
  message: string;
  hint: string | undefined;
  /** The value is not valid, so the inventory is refused. */
  isProblem?: true;
}

export interface ReadVariables {
  address: HostAddress;
  passwords: HostPasswords;
  remarks: Remark[];
  /** The variable has no effect. */
  unneeded: string[];
}

/**
 * How to reach a host, according to its variables. A more specific name takes precedence, as in Ansible. @param file the file of the variables, for relative paths
 */
export function readHostVariables(name: string, vars: JsonObject, file: string): ReadVariables {
  const reading = new Reading(vars, file);
  const keyPath = keyOf(reading);
  const way = reading.way();
  const words = reading.sshWords();
  const become = reading.become();
  const transport = way.transport === 'ssh' && words.needsOpenSsh ? 'openssh' : way.transport;
  const unmanageable = way.unmanageable ?? reading.shellProblem() ?? become.unmanageable;
  const address: HostAddress = {
    name,
    transport,
    ...(way.given ? { transportGiven: true as const } : {}),
    address: reading.text('ansible_ssh_host', 'ansible_host') ?? name,
    port: reading.port(),
    user: reading.text('ansible_ssh_user', 'ansible_user'),
    keyPath: keyFile(keyPath, file),
    ...(words.args.length === 0 ? {} : { sshArgs: words.args }),
    ...(become.said === undefined ? {} : { become: become.said }),
    ...(unmanageable === undefined ? {} : { unmanageable }),
  };
  const passwords = reading.passwords(become.said?.method);
  // Report only the first reason why a host cannot be managed.
  if (unmanageable !== undefined) return { address, passwords: {}, remarks: [], unneeded: [] };
  const { remarks, unneeded } = reading.left(become.said?.method ?? 'sudo');
  return { address, passwords, remarks, unneeded };
}

/** The address of a host that a step adds. Its variables can come from another host, so they are not trusted. */
export function addedAddress(name: string, vars: JsonObject, file: string): HostAddress {
  const { sshArgs, ...address } = readHostVariables(name, vars, file).address;
  if (sshArgs === undefined) return address;
  const unmanageable =
    'its ssh options come from a step, and ssh options can start programs on this machine; add the host to the inventory';
  return { ...address, unmanageable };
}

const methods = ['sudo', 'su', 'doas'] as const satisfies Identity['method'][];
/** Names of Ansible plugins can have the collection as a prefix. */
const withoutCollection = (name: string) =>
  name.replace(/^(ansible\.builtin|community\.general)\./, '');
const transports: Readonly<Record<string, HostAddress['transport']>> = {
  ssh: 'ssh',
  smart: 'ssh',
  paramiko: 'ssh',
  paramiko_ssh: 'ssh',
  openssh: 'openssh',
  local: 'local',
};
const PASSWORDS = ['ansible_ssh_password', 'ansible_ssh_pass', 'ansible_password'];
const OTHER_METHOD = 'Set the method in ansible_become_method.';
const MKECTL_NAMES =
  'Use ansible_ssh_private_key_file, and ansible_host, ansible_port and ansible_user for address, port and user.';
const keyOf = (reading: Reading) =>
  reading.text('ansible_ssh_private_key_file', 'ansible_private_key_file');
const DEFAULT_BECOME_FLAGS = new Set(['-H', '-S', '-n']);

class Reading {
  readonly #vars: JsonObject;
  readonly #file: string;
  readonly #remarks: Remark[] = [];

  constructor(vars: JsonObject, file: string) {
    this.#vars = vars;
    this.#file = file;
  }

  /** The first variable that is set. */
  text(...names: string[]): string | undefined {
    const name = this.#firstOf(...names);
    return name === undefined ? undefined : String(this.#vars[name]);
  }

  /** Empty text counts as unset, as in Ansible. */
  #firstOf(...names: string[]): string | undefined {
    return names.find((name) => (this.#vars[name] ?? '') !== '');
  }

  way(): { transport: HostAddress['transport']; given: boolean; unmanageable?: string } {
    const said = this.text('ansible_connection');
    if (said === undefined) return { transport: 'ssh', given: false };
    const transport = transports[withoutCollection(said)];
    if (transport !== undefined) return { transport, given: true };
    return {
      transport: 'ssh',
      given: true,
      unmanageable: `it is reached by "${said}", not by SSH`,
    };
  }

  port(): number | undefined {
    const name = this.#firstOf('ansible_ssh_port', 'ansible_port');
    if (name === undefined) return undefined;
    const port = Number(this.#vars[name]);
    if (Number.isInteger(port) && port > 0 && port < 65536) return port;
    const value = JSON.stringify(this.#vars[name]);
    this.#problem(name, `is ${value}, which is not a valid port`, 'Use a number from 1 to 65535.');
    return undefined;
  }

  sshWords(): { args: string[]; needsOpenSsh: boolean } {
    const args: string[] = [];
    let needsOpenSsh = false;
    // If two set the same option, ssh uses the first. This is the order of Ansible.
    for (const name of ['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args']) {
      const words = splitWords(this.text(name) ?? '');
      if (!words) {
        this.#problem(name, 'has a quote that is not closed', 'Close it.');
        continue;
      }
      const read = readSshArguments(words, this.#file);
      if (read.problem !== undefined) this.#problem(name, read.problem, 'See ssh(1).');
      for (const { option, hint } of read.notes)
        this.#note(name, `"${option}" has no effect`, hint);
      args.push(...read.args);
      needsOpenSsh ||= read.needsOpenSsh;
    }
    const seconds = this.text('ansible_ssh_timeout', 'ansible_timeout');
    if (seconds !== undefined) args.push('-o', `ConnectTimeout=${seconds}`);
    const provider = this.text('ansible_ssh_pkcs11_provider');
    if (provider !== undefined) args.push('-I', provider);
    return { args, needsOpenSsh: needsOpenSsh || provider !== undefined };
  }

  become(): { said?: HostBecome; unmanageable?: string } {
    const enabled = this.#flag('ansible_become');
    const wanted = this.text('ansible_become_method');
    const method = methods.find((one) => one === withoutCollection(wanted ?? ''));
    const user = this.text(`ansible_${method ?? 'sudo'}_user`, 'ansible_become_user');
    const said: HostBecome = {
      ...(enabled === undefined ? {} : { enabled }),
      ...(user === undefined ? {} : { user }),
      ...(method === undefined ? {} : { method }),
    };
    const unknown = wanted !== undefined && method === undefined;
    return {
      ...(Object.keys(said).length === 0 ? {} : { said }),
      ...(unknown
        ? {
            unmanageable: `its "ansible_become_method" is "${wanted}"; supported are sudo, su and doas`,
          }
        : {}),
    };
  }

  passwords(method: Identity['method'] = 'sudo'): HostPasswords {
    const login = this.text(...PASSWORDS);
    const become = this.text(
      `ansible_${method}_pass`,
      'ansible_become_pass',
      'ansible_become_password',
    );
    return {
      ...(login === undefined ? {} : { login }),
      ...(become === undefined ? {} : { become }),
    };
  }

  /** A Windows host can be reached by SSH, too. */
  shellProblem(): string | undefined {
    const type = this.text('ansible_shell_type');
    return type === 'powershell' || type === 'cmd'
      ? `its shell is ${type}, not a POSIX shell`
      : undefined;
  }

  /** Adds notes on variables that are not supported. */
  left(method: Identity['method']): { remarks: Remark[]; unneeded: string[] } {
    const unneeded: string[] = [];
    for (const [name, value] of Object.entries(this.#vars)) {
      const row = connectionVariable(name);
      if (row === undefined || value === null || this.#isDefault(name, String(value))) continue;
      if (row.is === 'unneeded' && row.silent !== true) unneeded.push(name);
      if (row.is === 'named') this.#note(name, 'is not supported', row.hint);
      const [, own = method] = /^ansible_(sudo|su|doas)_(?:user|pass)$/.exec(name) ?? [];
      if (own !== method) this.#note(name, `is not used with ${method}`, OTHER_METHOD);
      if (/^ansible_(ssh_)?host_key_checking$/.test(name) && !isTrue(value))
        this.#note(name, 'has no effect', ALWAYS_CHECKED);
    }
    // Only files of mkectl have this name, so address, port and user have their mkectl meaning too.
    if (this.#firstOf('keyPath') !== undefined && keyOf(this) === undefined)
      this.#note('keyPath', 'is a plain variable in an Ansible inventory', MKECTL_NAMES);
    return { remarks: this.#remarks, unneeded };
  }

  /** Values that match the default need no note. */
  #isDefault(name: string, value: string): boolean {
    if (/^ansible_(shell_executable|executable)$/.test(name)) return value === '/bin/sh';
    if (name === 'ansible_shell_type') return value === 'sh';
    if (/^ansible_(ssh|become|sudo|su|doas)_(exe|executable)$/.test(name))
      return /^(ssh|sudo|su|doas)$/.test(value);
    if (/^ansible_(become|sudo|su|doas)_flags$/.test(name))
      return value.split(/\s+/).every((flag) => flag === '' || DEFAULT_BECOME_FLAGS.has(flag));
    return value === '' && /_args$/.test(name);
  }

  #flag(name: string): boolean | undefined {
    const value = this.#vars[name];
    if (value === undefined || value === null) return undefined;
    if (isTrue(value)) return true;
    if (isFalse(value)) return false;
    this.#problem(
      name,
      `is ${JSON.stringify(value)}, neither true nor false`,
      'Use true or false.',
    );
    return undefined;
  }

  #note(variable: string, what: string, hint: string): void {
    this.#remarks.push({ variable, message: sentence(variable, what), hint });
  }

  #problem(variable: string, what: string, hint: string): void {
    this.#remarks.push({ variable, message: sentence(variable, what), hint, isProblem: true });
  }
}

function sentence(variable: string, what: string): string {
  return `"${variable}"${what.startsWith('"') ? ':' : ''} ${what}.`;
}

/** In inventories, Ansible also accepts the boolean words of YAML 1.1. */
const isTrue = (value: unknown) => /^(true|yes|on|y|1)$/i.test(String(value));
const isFalse = (value: unknown) => /^(false|no|off|n|0)$/i.test(String(value));
