import { parse } from 'yaml';
import type { FileTree } from '../file-tree.ts';
import { textAt } from './cluster.ts';
import { refuse } from './refusal.ts';

const known: Readonly<Record<string, readonly string[]>> = {
  '': ['apiVersion', 'kind', 'metadata', 'spec', 'status'],
  spec: [
    ...[
      'api',
      'controllerManager',
      'scheduler',
      'storage',
      'network',
      'workerProfiles',
      'telemetry',
    ],
    ...['installConfig', 'images', 'extensions', 'konnectivity', 'featureGates'],
  ],
  'spec.api': ['address', 'externalAddress', 'extraArgs', 'k0sApiPort', 'port', 'sans'],
};

/** Validates a configuration like k0s, but only the field names of the upper levels. */
export function checkConfig(tree: FileTree, path: string, prefix: string): void {
  const text = textAt(tree, path);
  if (text === undefined) refuse(`Error: open ${path}: no such file or directory`);
  let config: unknown;
  try {
    config = parse(text);
  } catch (error) {
    refuse(`Error: ${prefix}error converting YAML to JSON: yaml: ${(error as Error).message}`);
  }
  for (const [place, fields] of Object.entries(known)) {
    const keys = place === '' ? [] : place.split('.');
    const found = keys.reduce<unknown>(
      (value, key) => (value as Record<string, unknown> | undefined)?.[key],
      config,
    );
    for (const key of Object.keys(found ?? {}))
      if (!fields.includes(key))
        refuse(
          `Error: ${prefix}error unmarshaling JSON: while decoding JSON: json: unknown field "${key}"`,
        );
  }
}

/** The value of a setting on its own line. */
export function settingOf(config: string, name: string): string {
  return new RegExp(`^ *${name}: (.*)$`, 'm').exec(config)?.[1] ?? '';
}
