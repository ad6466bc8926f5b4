import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { convertConfig } from '../../src/mke/convert/convert.ts';
import type { Conversion, ConvertOptions } from '../../src/mke/convert/types.ts';
import { parseMke3Config } from '../../src/mke/mke3-config.ts';
import { packageRoot } from '../../src/util/package.ts';

/** Configuration of a running cluster, as returned by its API. */
export const dump = readFileSync(join(packageRoot(), 'src', 'lab', 'mke3-config.toml'), 'utf8');

/** Beginning of a configuration that can be upgraded. */
export const kdd = '[cluster_config]\ncalico_kdd = true\n';

export function convert(toml: string, options: Partial<ConvertOptions> = {}): Conversion {
  const source = parseMke3Config(toml, 'x.toml');
  return convertConfig(source, { hosts: [], externalAddress: 'mke.example.com', ...options });
}

interface Spec {
  [key: string]: Spec;
}

/** "spec" of the MKE 4 configuration. */
export function specOf(toml: string, options: Partial<ConvertOptions> = {}): Spec {
  return convert(toml, options).config['spec'] as unknown as Spec;
}
