import type { HostAddress, HostBecome, Identity } from '../core/host.ts';
import type { HostPasswords } from '../core/inventory.ts';
import type { JsonObject } from '../core/json.ts';
import { connectionVariable } from './connection-variables.ts';
import { keyFile } from './key-file.ts';
import { splitWords } from './shell.ts';
import { ALWAYS_CHECKED, readSshWords } from './ssh-words.ts';

/** What a variable asks for and does not get. */
export interface Remark {
  variable: string;
  message: string;
  hint: string | undefined;
  /** The value makes no sense: the inventory is refused. */
  isProblem?: true;
}

export interface ReadVariables {
  address: HostAddress;
  passwords: HostPasswords;
  remarks: Remark[];
  /** Set, and without effect here. */
  unneeded: string[];
}

/** How a host is reached, by its variables: Ansible's names and mkectl's. @param file where they stand, for relative paths */
export function readHostVariables(name: string, vars: JsonObject, file: string): ReadVariables {
  const reading = new Reading(vars, file);
  const keyPath = reading.text(
    'ansible_ssh_private_key_file',
    'ansible_private_key_file',
    'keyPath',
  );
  const way = reading.way();
  const words = reading.sshWords();
  const become = reading.become();
  const transport = way.transport === 'ssh' && words.needsOpenSsh ? 'openssh' : way.transport;
  const unmanageable = way.unmanageable ?? reading.shellProblem() ?? become.unmanageable;
  const address: HostAddress = {
    name,
    transport,
    ...(way.given ? { transportGiven: true as const } : {}),
    address: reading.text('ansible_host', 'ansible_ssh_host', 'address') ?? name,
    port: reading.port(),
    user: reading.text('ansible_user', 'ansible_ssh_user', 'user'),
    keyPath: keyFile(keyPath, file),
    ...(words.args.length === 0 ? {} : { sshArgs: words.args }),
    ...(become.said === undefined ? {} : { become: become.said }),
    ...(unmanageable === undefined ? {} : { unmanageable }),
  };
  const passwords = reading.passwords(become.said?.method);
  // One reason is enough for a host that is not reached at all.
  if (unmanageable !== undefined) return { address, passwords: {}, remarks: [], unneeded: [] };
  const { remarks, unneeded } = reading.left();
  return { address, passwords, remarks, unneeded };
}

/** The address of a host that a step adds. Its variables may come from a host. */
export function addedAddress(name: string, vars: JsonObject, file: string): HostAddress {
  const { sshArgs, ...address } = readHostVariables(name, vars, file).address;
  if (sshArgs === undefined) return address;
  const unmanageable =
    'its words for ssh come from a step, and words for ssh may start programs on this machine; put the host into the inventory';
  return { ...address, unmanageable };
}

const methods = ['sudo', 'su', 'doas'] as const satisfies Identity['method'][];
/** Names of Ansible's plugins may have the collection in front. */
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
const PASSWORDS = ['ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password'];
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
    const value = names
      .map((name) => this.#vars[name] ?? undefined)
      .find((one) => one !== undefined);
    return value === undefined ? undefined : String(value);
  }

  way(): { transport: HostAddress['transport']; given: boolean; unmanageable?: string } {
    const said = this.text('ansible_connection');
    const plain = this.text('connection');
    if (said === undefined) {
      // A variable of that name may be about something else.
      const transport = plain === undefined ? undefined : transports[plain];
      return { transport: transport ?? 'ssh', given: transport !== undefined };
    }
    const transport = transports[withoutCollection(said)];
    if (transport !== undefined) return { transport, given: true };
    return {
      transport: 'ssh',
      given: true,
      unmanageable: `it is reached by "${said}", not by SSH`,
    };
  }

  port(): number | undefined {
    const port = this.text('ansible_port', 'ansible_ssh_port', 'port');
    return port === undefined ? undefined : Number(port);
  }

  sshWords(): { args: string[]; needsOpenSsh: boolean } {
    const args: string[] = [];
    let needsOpenSsh = false;
    // Of two that set the same, ssh follows the first: that is Ansible's order.
    for (const name of ['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args']) {
      const words = splitWords(this.text(name) ?? '');
      if (!words) {
        this.#problem(name, 'has a quote that is not closed', 'Close it.');
        continue;
      }
      const read = readSshWords(words, this.#file);
      if (read.problem !== undefined) this.#problem(name, read.problem, 'See ssh(1).');
      for (const { option, hint } of read.notes)
        this.#note(name, `"${option}" is not followed`, hint);
      args.push(...read.args);
      needsOpenSsh ||= read.needsOpenSsh;
    }
    const seconds = this.text('ansible_timeout', 'ansible_ssh_timeout');
    if (seconds !== undefined) args.push('-o', `ConnectTimeout=${seconds}`);
    const provider = this.text('ansible_ssh_pkcs11_provider');
    if (provider !== undefined) args.push('-I', provider);
    return { args, needsOpenSsh: needsOpenSsh || provider !== undefined };
  }

  become(): { said?: HostBecome; unmanageable?: string } {
    const enabled = this.#flag('ansible_become');
    const wanted = this.text('ansible_become_method');
    const method = methods.find((one) => one === withoutCollection(wanted ?? ''));
    const user = this.text('ansible_become_user', `ansible_${method ?? 'sudo'}_user`);
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
            unmanageable: `its "ansible_become_method" is "${wanted}"; there are sudo, su and doas`,
          }
        : {}),
    };
  }

  passwords(method: Identity['method'] = 'sudo'): HostPasswords {
    const login = this.text(...PASSWORDS);
    const become = this.text(
      'ansible_become_password',
      'ansible_become_pass',
      `ansible_${method}_pass`,
    );
    return {
      ...(login === undefined ? {} : { login }),
      ...(become === undefined ? {} : { become }),
    };
  }

  /** A Windows host may be reached by SSH, too. */
  shellProblem(): string | undefined {
    const type = this.text('ansible_shell_type');
    return type === 'powershell' || type === 'cmd'
      ? `its shell is ${type}, not a POSIX shell`
      : undefined;
  }

  /** What is said of variables that are not honoured. */
  left(): { remarks: Remark[]; unneeded: string[] } {
    const unneeded: string[] = [];
    for (const [name, value] of Object.entries(this.#vars)) {
      const row = connectionVariable(name);
      if (row === undefined || value === null || this.#isDefault(name, String(value))) continue;
      if (row.is === 'unneeded' && row.silent !== true) unneeded.push(name);
      if (row.is === 'named') this.#note(name, 'is not honoured', row.hint);
      if (/^ansible_(ssh_)?host_key_checking$/.test(name) && !isTrue(value))
        this.#note(name, 'is not followed', ALWAYS_CHECKED);
    }
    return { remarks: this.#remarks, unneeded };
  }

  /** Says what is so anyway. */
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
      'Write true or false.',
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

/** In an inventory Ansible takes the words of YAML 1.1, too. */
const isTrue = (value: unknown) => /^(true|yes|on|y|1)$/i.test(String(value));
const isFalse = (value: unknown) => /^(false|no|off|n|0)$/i.test(String(value));
