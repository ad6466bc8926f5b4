import { Command } from 'commander';
import type { World } from './world.ts';

/** A command that prints its help to `world.stdout` and throws its errors, which `main` prints. */
export function newCommand({ stdout }: World, name: string): Command {
  return new Command(name).exitOverride().configureOutput({
    writeOut: (text) => {
      stdout.write(text);
    },
    writeErr: () => undefined,
    getOutHelpWidth: () => stdout.columns ?? 80,
  });
}
