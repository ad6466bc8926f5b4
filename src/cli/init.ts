import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { exitCodes } from '../core/events.ts';
import { UsageError } from '../core/errors.ts';
import type { World } from './world.ts';

/** `runner init`: the default configuration of MKE 4, or what a configuration of MKE 3 becomes. */
export async function initCommand(world: World, argv: string[]): Promise<number> {
  const command = new Command('runner init')
    .description('Print a configuration of MKE 4 on standard output; remarks go to standard error.')
    .option('--mke3-config <FILE>', 'configuration of MKE 3, as GET /api/ucp/config-toml gives it')
    .option(
      '--external-address <ADDRESS>',
      'name of the load balancer in front of the managers',
      '',
    )
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse(argv, { from: 'user' });
  const { mke3Config: file, externalAddress } = command.opts<{
    mke3Config?: string;
    externalAddress: string;
  }>();
  const { configToYaml, convertConfig } = await import('../mke/convert.ts');
  const { Mke3Config, parseMke3Config } = await import('../mke/mke3-config.ts');
  const options = { hosts: [], externalAddress };
  if (file === undefined) {
    const { defaultSpec } = await import('../mke/mke4-defaults.ts');
    const { config } = convertConfig(new Mke3Config({}), options);
    world.stdout.write(configToYaml({ ...config, spec: defaultSpec() }));
    return exitCodes.done;
  }
  const { config, unconverted, refusals, metallbPools } = convertConfig(
    parseMke3Config(readText(file), file),
    options,
  );
  const say = (line: string) => world.stderr.write(`${line}\n`);
  for (const { key, value, why, what } of unconverted)
    say(`not converted: ${key} = ${value}: ${why}; ${what}.`);
  for (const { name, addresses } of metallbPools)
    say(`MetalLB pool to make again: ${name} [${addresses.join(' ')}]`);
  for (const { key, value, why, what } of refusals)
    say(`refused: ${key} = ${value}: ${why}; ${what}.`);
  if (refusals.length > 0) {
    say(
      `A cluster with ${refusals.length === 1 ? 'this setting' : 'these settings'} cannot be upgraded.`,
    );
    return exitCodes.invalid;
  }
  world.stdout.write(configToYaml(config));
  return exitCodes.done;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`Cannot read "${file}".`, {
      hint: 'Give the downloaded configuration of MKE 3.',
      cause: error,
    });
  }
}
