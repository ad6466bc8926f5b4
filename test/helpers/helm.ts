import { gzipSync } from 'node:zlib';
import type { JsonObject, JsonValue } from '../../src/core/json.ts';

const word = (value: JsonValue | undefined): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? '');

/**
 * The Secret in which Helm stores a revision: `name`, `namespace`, `version`, `status`, `manifest`,
 * and `hook` for the manifest of a hook.
 */
export function helmSecret(release: JsonObject): JsonObject {
  const { name = '', namespace = '', version = 1, status = '', manifest = '', hook } = release;
  const hooks = hook === undefined ? [] : [{ manifest: hook }];
  const config = { password: 'hush-hush' };
  const stored = { name, namespace, version, info: { status }, hooks, manifest, config };
  const packed = gzipSync(JSON.stringify(stored));
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: `sh.helm.release.v1.${word(name)}.v${word(version)}`,
      namespace,
      labels: { name, owner: 'helm', status },
    },
    data: { release: Buffer.from(packed.toString('base64')).toString('base64') },
  };
}
