import { dirname } from 'node:path';
import { RunnerError, type Problem } from '../core/errors.ts';
import type { HostAddress } from '../core/host.ts';
import type { HostPasswords, InventoryHost, VariableOrigin } from '../core/inventory.ts';
import type { JsonObject } from '../core/json.ts';
import { formatSource, type SourceRef } from '../core/source.ts';
import { fieldsAsWritten, templatesIn, type Source, type SourceObject } from '../core/value.ts';
import { Scope } from '../template/scope.ts';
import { connectionVariable } from '../util/connection-variables.ts';
import { readHostVariables } from '../util/host-address.ts';

/** Shorter texts occur in ordinary output, so the redactor does not mask them. */
const SHORTEST_PASSWORD = 4;

interface HostOfFiles {
  name: string;
  vars: SourceObject;
  groups: readonly string[];
  origins: readonly VariableOrigin[];
}

interface Found {
  problems: Problem[];
  notes: Problem[];
  passwords: Map<string, HostPasswords>;
}

/**
 * Determines the connection of each host, and collects notes on variables that are not supported.
 */
export class HostReader {
  readonly #file: string;
  readonly #problems: Problem[];
  readonly #notes: Problem[];
  readonly #passwords: Map<string, HostPasswords>;
  /** Reported problems, so that a group variable is reported once, not for each host. */
  readonly #reported = new Set<string>();
  readonly #unneeded = new Map<string, SourceRef | undefined>();
  readonly #given: SourceObject;
  /** Names of connection variables among the inputs and extra variables. */
  readonly #strongest: readonly string[];

  /**
   * @param found receives problems, notes and passwords
   * @param given inputs and extra variables, which override the inventory files
   */
  constructor(file: string, found: Found, given: SourceObject = {}) {
    const { problems, notes, passwords } = found;
    this.#given = given;
    this.#strongest = Object.keys(given).filter(
      (name) => connectionVariable(name) !== undefined && given[name] !== '',
    );
    this.#passwords = passwords;
    this.#file = file;
    this.#problems = problems;
    this.#notes = notes;
  }

  /** @param given connection settings of the file itself, which override variables */
  read(host: HostOfFiles, given: Partial<HostAddress> = {}): InventoryHost {
    const { name, vars, origins } = host;
    const placeOf = (variable: string) => origins.findLast((one) => one.name === variable)?.at;
    const { values, unknown } = this.#rendered(host);
    const read = readHostVariables(name, values, this.#file);
    for (const { variable, message, hint, isProblem } of read.remarks)
      if (isProblem || !this.#strongest.includes(variable))
        this.#report(isProblem ? this.#problems : this.#notes, {
          message,
          hint,
          at: placeOf(variable),
        });
    for (const variable of read.unneeded)
      if (!this.#unneeded.has(variable) && !this.#strongest.includes(variable))
        this.#unneeded.set(variable, placeOf(variable));
    const { login, become } = read.passwords;
    if (login !== undefined || become !== undefined) this.#passwords.set(name, read.passwords);
    for (const [kind, password] of Object.entries(read.passwords) as [string, string][])
      if (password.length < SHORTEST_PASSWORD)
        this.#report(this.#problems, {
          message: `The ${kind} password of "${name}" is too short to be masked in output.`,
          hint: 'Remove it, and use --ask-pass or --ask-become-pass.',
        });
    const address = this.#over(read.address, given, values);
    if (login !== undefined && address.transport === 'openssh')
      this.#report(this.#notes, {
        message: `The login password of "${name}" is not used: the system's ssh connects and cannot ask for it.`,
        hint: 'Use an SSH key.',
      });
    if (unknown !== undefined && address.unmanageable === undefined) {
      const at = placeOf(unknown.variable);
      const where = at ? ` (${formatSource(at)})` : '';
      address.unmanageable = `its variable "${unknown.variable}" cannot be rendered${where}: ${unknown.why}`;
    }
    return { name, address, vars };
  }

  /**
   * Connection settings of the file override variables; inputs and extra variables override both.
   */
  #over(read: HostAddress, given: Partial<HostAddress>, values: JsonObject): HostAddress {
    const known = Object.entries(given).filter(([, value]) => value !== undefined);
    const address: HostAddress = { ...read, ...Object.fromEntries(known) };
    if (known.length === 0 || this.#strongest.length === 0) return address;
    const own = Object.fromEntries(this.#strongest.map((name) => [name, values[name] ?? null]));
    const strongest = readHostVariables('', own, this.#file).address;
    const { user = address.user, port = address.port, keyPath = address.keyPath } = strongest;
    const { transport, transportGiven, sshArgs = [] } = strongest;
    const { userByDefault, ...others } = address;
    return {
      ...others,
      ...{ user, port, keyPath, address: strongest.address || address.address },
      ...(userByDefault && strongest.user === undefined ? { userByDefault } : {}),
      ...(transportGiven ? { transport, transportGiven } : {}),
      ...(sshArgs.length === 0 ? {} : { sshArgs: [...sshArgs, ...(address.sshArgs ?? [])] }),
    };
  }

  /** Adds the note on variables without effect. Call it after the last host. */
  finish(): void {
    const [first] = this.#unneeded;
    if (!first) return;
    const names = [...this.#unneeded.keys()].sort().map((name) => `"${name}"`);
    const verb = names.length === 1 ? 'has' : 'have';
    this.#notes.push({
      message: `${names.join(', ')} ${verb} no effect in runner.`,
      at: first[1] ?? this.#top,
    });
  }

  /** Position for variables of an inventory program, which have none. */
  get #top(): SourceRef {
    return { file: this.#file, line: 1, column: 1 };
  }

  #report(list: Problem[], problem: Problem): void {
    const at = problem.at ?? this.#top;
    const key = `${formatSource(at)} ${problem.message}`;
    if (this.#reported.has(key)) return;
    this.#reported.add(key);
    list.push({ ...problem, at });
  }

  /** Renders connection variables, which can be templates with other inventory variables. */
  #rendered({ name, vars, groups }: HostOfFiles): {
    values: JsonObject;
    unknown?: { variable: string; why: string };
  } {
    const strongest = this.#strongest.map((one): [string, Source] => [
      one,
      this.#given[one] ?? null,
    ]);
    const all = { ...vars, ...Object.fromEntries(strongest) };
    const values = fieldsAsWritten(all);
    const wanted = Object.keys(all).filter(
      (variable) =>
        connectionVariable(variable) !== undefined && templatesIn(all[variable] ?? null).length > 0,
    );
    if (wanted.length === 0) return { values };
    const magic = {
      inventory_hostname: name,
      inventory_hostname_short: name.split('.')[0] ?? name,
      inventory_file: this.#file,
      inventory_dir: dirname(this.#file),
      group_names: [...groups],
    };
    const scope = new Scope([
      { name: 'magic', values: magic, data: true },
      { name: 'inputs', values: this.#given },
      { name: 'inventory', values: vars },
    ]);
    let unknown: { variable: string; why: string } | undefined;
    for (const variable of wanted) {
      try {
        values[variable] = scope.render(all[variable] ?? null);
      } catch (error) {
        if (!(error instanceof RunnerError)) throw error;
        const hint = error.hint === undefined ? '' : ` ${error.hint}`;
        unknown ??= { variable, why: `${error.message}${hint}` };
        values[variable] = null;
      }
    }
    return unknown ? { values, unknown } : { values };
  }
}
