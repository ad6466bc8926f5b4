import { readFileSync, writeFileSync } from 'node:fs';
import { Option } from 'commander';
import { exitCodes } from '../../core/states.ts';
import { UsageError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Conversion, ConvertOptions, Unconverted } from '../../mke/convert/types.ts';
import type { Mke3Config } from '../../mke/mke3-config.ts';
import { targets, type Target } from '../../mke/mke4-defaults.ts';
import { newCommand } from '../command.ts';
import { tell } from '../fail.ts';
import type { World } from '../world.ts';

interface InitOptions {
  mke3Config?: string;
  mke3Ldap?: string;
  externalAddress: string;
  target: Target;
  imageRegistry?: string;
  chartRegistry?: string;
  mke3Airgapped?: boolean;
  leaveOut?: string;
  k0sVersion: string;
  report?: 'text' | 'json' | true;
  output?: string;
}

/** `runner init`: the default configuration of MKE 4, or what a configuration of MKE 3 becomes. */
export async function initCommand(world: World, argv: string[]): Promise<number> {
  const flags = readFlags(world, argv);
  checkRegistries(flags);
  const options: ConvertOptions = {
    hosts: [],
    externalAddress: flags.externalAddress,
    target: flags.target,
    ldap: flags.mke3Ldap === undefined ? undefined : await readLdap(flags.mke3Ldap),
    ldapPassword: world.env['MKE3_LDAP_PASSWORD'] || undefined,
    registries: { image: flags.imageRegistry, chart: flags.chartRegistry },
    airgapped: flags.mke3Airgapped,
    leaveOut: flags.leaveOut?.split(','),
  };
  return flags.mke3Config === undefined
    ? printDefaults(world, flags, options)
    : convertFrom(world, flags.mke3Config, flags, options);
}

function readFlags(world: World, argv: string[]): InitOptions {
  const command = newCommand(world, 'runner init')
    .description('Print a configuration of MKE 4 on standard output; remarks go to standard error.')
    .option('--mke3-config <FILE>', 'configuration of MKE 3, as GET /api/ucp/config-toml gives it')
    .option(
      '--mke3-ldap <FILE>',
      'LDAP settings of MKE 3, as GET /enzi/v0/config/auth/ldap gives them',
    )
    .option(
      '--external-address <ADDRESS>',
      'name of the load balancer in front of the managers',
      '',
    )
    .addOption(new Option('--target <RELEASE>', 'release of MKE 4').choices(targets).default('4.0'))
    .option('--image-registry <HOST/PATH>', 'registry of images, for 4.1')
    .option('--chart-registry <OCI_URL>', 'registry of charts, for 4.1')
    .option('--mke3-airgapped', 'the cluster has no access to the internet, for 4.1')
    .option('--leave-out <NAMES>', 'flags and admission plugins that are not taken over')
    .option(
      '--k0s-version <VERSION>',
      'release of k0s whose components get the custom flags',
      'v1.29.15+k0s.0',
    )
    .addOption(
      new Option('--report [FORM]', 'print what becomes of each setting instead').choices([
        'text',
        'json',
      ]),
    )
    .option('--output <FILE>', 'write the configuration there, readable by you alone');
  command.parse(argv, { from: 'user' });
  return command.opts<InitOptions>();
}

async function printDefaults(
  world: World,
  flags: InitOptions,
  options: ConvertOptions,
): Promise<number> {
  if (flags.report !== undefined)
    throw new UsageError('A report needs --mke3-config FILE.', {
      hint: 'See: runner init --help.',
    });
  const { Mke3Config } = await import('../../mke/mke3-config.ts');
  const { convertConfig } = await import('../../mke/convert/convert.ts');
  const { defaultSpec } = await import('../../mke/mke4-defaults.ts');
  const { config } = convertConfig(new Mke3Config({}), options);
  await write(world, { ...config, spec: defaultSpec(flags.target) }, flags.output);
  return exitCodes.done;
}

async function convertFrom(
  world: World,
  file: string,
  flags: InitOptions,
  options: ConvertOptions,
): Promise<number> {
  const { parseMke3Config } = await import('../../mke/mke3-config.ts');
  const { convertConfig } = await import('../../mke/convert/convert.ts');
  const { checkFlags } = await import('../../mke/component-flags.ts');
  const { k0sSettings } = await import('../../mke/k0s-config.ts');
  const text = await readText(file);
  const source = parseMke3Config(text, file);
  const converted = convertConfig(source, options);
  const base = convertConfig(parseMke3Config(text, file), { ...options, target: '4.0' });
  const { problems, imageProblems } = checkFlags(base, flags.k0sVersion, {
    airgapped: flags.mke3Airgapped,
    registry: flags.imageRegistry,
  });
  const stops = [...problems, ...imageProblems];
  const conversion = {
    ...converted,
    unconverted: [...converted.unconverted, ...k0sSettings(base, []).unconverted],
  };
  const refused = conversion.refusals.length > 0;
  if (flags.report !== undefined) {
    await report(world, source, { conversion, stops, form: flags.report });
    return refused || stops.length > 0 ? exitCodes.invalid : exitCodes.done;
  }
  describe(world, conversion, stops);
  await write(world, conversion.config, flags.output);
  return exitCodes.done;
}

/** What becomes of each setting. */
async function report(
  world: World,
  source: Mke3Config,
  {
    conversion,
    stops,
    form,
  }: {
    conversion: Conversion;
    stops: readonly Unconverted[];
    form: NonNullable<InitOptions['report']>;
  },
): Promise<void> {
  const { compatibility, compatibilityText } = await import('../../mke/report.ts');
  const found = compatibility(source, conversion);
  const { unconverted, refusals } = conversion;
  if (form === 'json') {
    const all = { ...found, unconverted, refusals, stops };
    world.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
    return;
  }
  world.stdout.write(compatibilityText(found));
  describe(world, conversion, stops);
}

/** @param stops settings at which the pre-upgrade checks stop */
function describe(
  world: World,
  { unconverted, metallbPools, refusals }: Conversion,
  stops: readonly Unconverted[],
): void {
  const say = (line: string) => {
    tell(world, line);
  };
  for (const { key, value, why, what } of unconverted)
    say(`not converted: ${key} = ${value}: ${why}; ${what}.`);
  for (const { name, addresses } of metallbPools)
    say(`MetalLB pool to make again: ${name} [${addresses.join(' ')}]`);
  for (const { key, value, why, what } of stops)
    say(`warning: stops the upgrade: ${key} = ${value}: ${why}; ${what}.`);
  for (const { key, value, why, what } of refusals)
    say(`warning: the upgrade refuses: ${key} = ${value}: ${why}; ${what}.`);
}

/** Secrets are written to a file only, which nobody else can read. */
async function write(world: World, config: JsonObject, output: string | undefined): Promise<void> {
  const { configToYaml, holdsSecret } = await import('../../mke/convert/yaml.ts');
  const { schemaProblems } = await import('../../mke/mke4-schema.ts');
  for (const problem of schemaProblems(config))
    tell(world, `warning: the configuration does not fit its schema: ${problem}`);
  if (output === undefined) {
    world.stdout.write(configToYaml(config, { withSecrets: false }));
    if (holdsSecret(config))
      world.stderr.write('Secrets were left out; --output FILE writes them.\n');
    return;
  }
  try {
    writeFileSync(output, configToYaml(config), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new UsageError(
      exists
        ? `"${output}" exists already.`
        : `Cannot write "${output}": ${(error as Error).message}.`,
      { hint: exists ? 'Move it away, or name another file.' : undefined, cause: error },
    );
  }
}

/** Forms of these values that mkectl accepts. */
function checkRegistries({
  target,
  imageRegistry,
  chartRegistry,
  mke3Airgapped,
}: InitOptions): void {
  const given = [imageRegistry, chartRegistry].some((one) => one !== undefined);
  if (target !== '4.1' && (given || mke3Airgapped === true))
    throw new UsageError('Registries and --mke3-airgapped are settings of 4.1.', {
      hint: 'Add --target 4.1.',
    });
  if (chartRegistry !== undefined && !chartRegistry.startsWith('oci://'))
    throw new UsageError('--chart-registry must begin with "oci://".');
  if ([imageRegistry, chartRegistry].some((one) => one?.endsWith('/') === true))
    throw new UsageError('A registry must not end with "/".');
}

async function readLdap(file: string): Promise<JsonObject> {
  const text = await readText(file);
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new UsageError(`"${file}" is not JSON: ${(error as Error).message}.`, { cause: error });
  }
  if (isJsonObject(value)) return value;
  throw new UsageError(`"${file}" is not an object of LDAP settings.`);
}

async function readText(file: string): Promise<string> {
  const { decodeText } = await import('../../mke/config-text.ts');
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new UsageError(`Cannot read "${file}".`, {
      hint: 'Give the downloaded configuration of MKE 3.',
      cause: error,
    });
  }
  return decodeText(bytes, file);
}
