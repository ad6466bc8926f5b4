import { readFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import pc from 'picocolors';
import type { Clock, Random } from '../core/ports.ts';
import { createRegistry, type ModuleRegistry } from '../core/module.ts';
import type { Display } from '../output/display.ts';
import { jsonDisplay } from '../output/json.ts';
import { plainDisplay, TextWriter } from '../output/plain.ts';
import type { HostPasswords } from '../core/inventory.ts';
import { Redactor } from '../util/redact.ts';
import { FactCache } from '../journal/fact-cache.ts';
import { RunStore } from '../journal/store.ts';
import { OutputWriter, type OutputStream } from '../util/output-writer.ts';
import { stateDir } from '../util/paths.ts';
import { systemRandom } from '../util/random.ts';
import { systemClock } from '../util/time.ts';
import { Vault, type VaultKey } from '../util/vault.ts';
import { Terminal, type InputStream } from './terminal.ts';

/** Source of signals such as SIGINT. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/**
 * The parts of the process that commands use. Tests replace them to call commands without starting
 * a process.
 */
export interface ProcessParts {
  env: NodeJS.ProcessEnv;
  stdout: OutputStream;
  stderr: OutputStream;
  stdin: InputStream;
  /** Reads all of standard input. */
  readStdin: () => Buffer;
  signals: SignalSource;
  clock: Clock;
  random: Random;
  /** The script that runs `runner`, for commands that start it again. */
  program: string;
}

/**
 * The environment of a command. Only this file accesses environment variables, streams and the
 * user.
 */
export interface World extends Omit<ProcessParts, 'stdout' | 'stderr'> {
  stdout: OutputWriter;
  stderr: OutputWriter;
  /** The terminal for prompts. */
  terminal: Terminal;
  /** Built-in modules and those of the playbook. Empty for commands that do not use modules. */
  modules: ModuleRegistry;
  builtin: ModuleRegistry;
  redactor: Redactor;
  store: RunStore;
  factCache: FactCache;
  /** Decrypts values. It has no password until the options of the command are parsed. */
  vault: Vault;
  /** Passwords of the inventory, by host. */
  passwords: Map<string, HostPasswords>;
  user: string;
  home: string;
  /** The command has a journal, so lost output does not change its exit code. */
  isRunRecorded: boolean;
  /** Called when the command has ended. */
  cleanUps: (() => void)[];
}

const thisProcess = (): ProcessParts => ({
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  readStdin: () => readFileSync(0),
  signals: process,
  clock: systemClock,
  random: systemRandom,
  program: process.argv[1] ?? '',
});

export function createWorld(parts: ProcessParts = thisProcess()): World {
  const redactor = new Redactor();
  const state = stateDir(parts.env);
  const now = () => parts.clock.now();
  const stdout = new OutputWriter('standard output', parts.stdout, now);
  const stderr = new OutputWriter('standard error', parts.stderr, now);
  return {
    ...parts,
    stdout,
    stderr,
    terminal: new Terminal(parts.stdin, stdout),
    modules: createRegistry([]),
    builtin: createRegistry([]),
    redactor,
    vault: createVault({ redactor }, [], true),
    store: new RunStore(state, parts.random),
    factCache: new FactCache(state, redactor),
    passwords: new Map(),
    user: userInfo().username,
    home: homedir(),
    isRunRecorded: false,
    cleanUps: [],
  };
}

/** `lenient`: values that no key decrypts stay encrypted, without an error. */
export function createVault(
  { redactor }: Pick<World, 'redactor'>,
  keys: readonly VaultKey[],
  lenient = false,
): Vault {
  return new Vault({
    keys,
    lenient,
    onSecret: (name, value) => {
      redactor.add(name, value);
    },
  });
}

/** User and machine, which a host lock names as its owner. */
export function ownerOf({ user }: World): string {
  return `${user}@${hostname()}`.replaceAll(/[^\w.@-]/g, '_');
}

export interface DisplayOptions {
  output: string;
  diff: boolean;
  undo: boolean;
  verbose: boolean;
}

export function createDisplay(world: World, options: DisplayOptions): Promise<Display> {
  const write = (text: string) => {
    world.stdout.write(text);
  };
  const text = new TextWriter({
    ...options,
    palette: pc.createColors(world.stdout.isTTY && world.env['NO_COLOR'] === undefined),
  });
  return chooseDisplay(world, options.output, text, write);
}

async function chooseDisplay(
  world: World,
  output: string,
  text: TextWriter,
  write: (text: string) => void,
): Promise<Display> {
  if (output === 'json') return jsonDisplay(write);
  const live = output === 'live' || (output === 'auto' && world.stdout.isTTY);
  if (!live) return plainDisplay(text, write);
  const { LiveDisplay } = await import('../output/live.ts');
  return new LiveDisplay(text, {
    write,
    rows: () => world.stdout.rows ?? 24,
    columns: () => world.stdout.columns ?? 80,
    fail: (error) => {
      world.stdout.fail(error);
    },
  });
}
