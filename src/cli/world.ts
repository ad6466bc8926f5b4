import { homedir, hostname, userInfo } from 'node:os';
import pc from 'picocolors';
import type { EventSink } from '../core/events.ts';
import type { ModuleRegistry } from '../core/module.ts';
import { createRegistry, builtinModules } from '../modules/index.ts';
import { mkeModules } from '../mke/modules.ts';
import { jsonDisplay, plainDisplay, type Display } from '../output/displays.ts';
import { TextWriter } from '../output/text.ts';
import { Redactor } from '../util/redact.ts';
import { FactCache } from '../journal/fact-cache.ts';
import { RunStore } from '../journal/store.ts';
import { stateDir } from '../util/paths.ts';
import type { Vault } from '../util/vault.ts';
import { createVault } from './vault-keys.ts';

/** What the process gives: the only place that looks at environment, streams and user. */
export interface World {
  env: NodeJS.ProcessEnv;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  stdin: NodeJS.ReadStream;
  /** Modules of this call: our own, and those of the playbook. */
  modules: ModuleRegistry;
  builtin: ModuleRegistry;
  redactor: Redactor;
  store: RunStore;
  factCache: FactCache;
  /** Opens what is encrypted; without a password until a command says where it is. */
  vault: Vault;
  user: string;
  home: string;
}

export function createWorld(): World {
  const redactor = new Redactor();
  const builtin = createRegistry([...builtinModules, ...mkeModules]);
  return {
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    modules: builtin,
    builtin,
    redactor,
    vault: createVault({ redactor }, [], true),
    store: new RunStore(stateDir(process.env)),
    factCache: new FactCache(stateDir(process.env), redactor),
    user: userInfo().username,
    home: homedir(),
  };
}

/** Who runs this, where: what others read in a lock. */
export function ownerOf({ user }: World): string {
  return `${user}@${hostname()}`.replaceAll(/[^\w.@-]/g, '_');
}

export interface DisplayOptions {
  output: string;
  diff: boolean;
  undo: boolean;
  verbose: boolean;
}

/** Every display writes through the redactor: nothing else in the program prints events. */
export async function createDisplay(
  world: World,
  options: DisplayOptions,
): Promise<Display & { text: TextWriter }> {
  const write = (text: string) => {
    world.stdout.write(text);
  };
  const text = new TextWriter({
    ...options,
    palette: pc.createColors(world.stdout.isTTY && world.env['NO_COLOR'] === undefined),
  });
  const display = await chooseDisplay(world, options.output, text, write);
  const sink: EventSink = (event) => {
    display.sink(world.redactor.maskAll(event));
  };
  return { ...display, sink, text };
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
  const { liveDisplay } = await import('../output/live.ts');
  return liveDisplay(text, {
    write,
    rows: () => world.stdout.rows,
    columns: () => world.stdout.columns,
  });
}
