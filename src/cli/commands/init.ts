import { readFileSync, writeFileSync } from 'node:fs';
import { Option } from 'commander';
import { exitCodes } from '../../core/states.ts';
import { UsageError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';
import type { Conversion, ConvertOptions, Unconverted } from '../../mke/convert/types.ts';
import type { Mke3Config } from '../../mke/mke3-config.ts';
import { targets, type Target } from '../../mke/mke4-defaults.ts';
import { newCommand } from '../command.ts';
import { printMessage } from '../fail.ts';
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

/** `runner init`: prints the default MKE 4 configuration, or converts an MKE 3 configuration. */
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
    .description(
      'Print an MKE 4 configuration to standard output. Notes and warnings go to standard error.',
    )
    .option(
      '--mke3-config <FILE>',
      'MKE 3 configuration to convert, as returned by GET /api/ucp/config-toml',
    )
    .option(
      '--mke3-ldap <FILE>',
      'MKE 3 LDAP settings, as returned by GET /enzi/v0/config/auth/ldap',
    )
    .option('--external-address <ADDRESS>', 'address of the load balancer of the managers', '')
    .addOption(new Option('--target <RELEASE>', 'MKE 4 release').choices(targets).default('4.0'))
    .option('--image-registry <HOST/PATH>', 'image registry (release 4.1)')
    .option('--chart-registry <OCI_URL>', 'chart registry (release 4.1)')
    .option('--mke3-airgapped', 'the cluster has no access to the internet (release 4.1)')
    .option(
      '--leave-out <NAMES>',
      'custom flags and admission plugins to leave out, comma-separated',
    )
    .option(
      '--k0s-version <VERSION>',
      'k0s release whose components must accept the custom flags',
      'v1.29.15+k0s.0',
    )
    .addOption(
      new Option(
        '--report [FORM]',
        'report how each setting is converted, instead of the configuration',
      ).choices(['text', 'json']),
    )
    .option('--output <FILE>', 'write the configuration to a new file that only you can read');
  command.parse(argv, { from: 'user' });
  return command.opts<InitOptions>();
}

async function printDefaults(
  world: World,
  flags: InitOptions,
  options: ConvertOptions,
): Promise<number> {
  if (flags.report !== undefined) throw new UsageError('--report requires --mke3-config FILE.');
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

/** Reports how each setting is converted. */
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

/** @param stops settings that the pre-upgrade checks refuse */
function describe(
  world: World,
  { unconverted, metallbPools, refusals }: Conversion,
  stops: readonly Unconverted[],
): void {
  const printLine = (line: string) => {
    printMessage(world, line);
  };
  for (const { key, value, why, what } of unconverted)
    printLine(`not converted: ${key} = ${value}: ${why}; ${what}.`);
  for (const { name, addresses } of metallbPools)
    printLine(`MetalLB pool to recreate: ${name} [${addresses.join(' ')}]`);
  for (const { key, value, why, what } of stops)
    printLine(`warning: stops the upgrade: ${key} = ${value}: ${why}; ${what}.`);
  for (const { key, value, why, what } of refusals)
    printLine(`warning: the upgrade refuses: ${key} = ${value}: ${why}; ${what}.`);
}

/** Writes the configuration. Secrets are included only in a file, which has mode 0600. */
async function write(world: World, config: JsonObject, output: string | undefined): Promise<void> {
  const { configToYaml, holdsSecret } = await import('../../mke/convert/yaml.ts');
  const { schemaProblems } = await import('../../mke/mke4-schema.ts');
  for (const problem of schemaProblems(config))
    printMessage(world, `warning: the configuration does not match its schema: ${problem}`);
  if (output === undefined) {
    world.stdout.write(configToYaml(config, { withSecrets: false }));
    if (holdsSecret(config))
      world.stderr.write('Secrets were left out. Use --output FILE to include them.\n');
    return;
  }
  try {
    writeFileSync(output, configToYaml(config), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new UsageError(
      exists
        ? `"${output}" already exists.`
        : `Cannot write "${output}": ${(error as Error).message}.`,
      { hint: exists ? 'Move the file away, or name another one.' : undefined, cause: error },
    );
  }
}

/** Checks the registries and --mke3-airgapped by the rules of mkectl. */
function checkRegistries({
  target,
  imageRegistry,
  chartRegistry,
  mke3Airgapped,
}: InitOptions): void {
  const given = [imageRegistry, chartRegistry].some((one) => one !== undefined);
  if (target !== '4.1' && (given || mke3Airgapped === true))
    throw new UsageError('Registries and --mke3-airgapped require release 4.1.', {
      hint: 'Add --target 4.1.',
    });
  if (chartRegistry !== undefined && !chartRegistry.startsWith('oci://'))
    throw new UsageError('--chart-registry must start with "oci://".');
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
  throw new UsageError(`"${file}" is not a JSON object with LDAP settings.`);
}

async function readText(file: string): Promise<string> {
  const { decodeText } = await import('../../mke/config-text.ts');
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new UsageError(`Cannot read "${file}".`, {
      hint: 'Name the file that you downloaded from MKE 3.',
      cause: error,
    });
  }
  return decodeText(bytes, file);
}
