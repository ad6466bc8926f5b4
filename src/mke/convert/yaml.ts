import { Document, isMap, isScalar, visit } from 'yaml';
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts';

/** Where a configuration holds a secret. */
const secretPaths = [
  ['spec', 'authentication', 'oidc', 'clientSecret'],
  ['spec', 'authentication', 'ldap', 'bindPW'],
];

/** Whether the configuration holds a secret. */
export function holdsSecret(config: JsonObject): boolean {
  return secretPaths.some((path) => {
    const value = path.reduce<JsonValue | undefined>(
      (node, key) => (isJsonObject(node) ? node[key] : undefined),
      config,
    );
    return value !== undefined && value !== '';
  });
}

/** YAML for a person: sections apart, and a note on what has to be filled in. */
export function configToYaml(
  config: JsonObject,
  { withSecrets = true }: { withSecrets?: boolean } = {},
): string {
  const document = new Document(inVendorOrder(config));
  visit(document, {
    // A block would end its lines with the spaces of the value.
    Scalar(_, node) {
      if (typeof node.value === 'string' && /[ \t](\n|$)/.test(node.value))
        node.type = 'QUOTE_DOUBLE';
    },
  });
  const spec = document.get('spec');
  if (isMap(spec)) {
    for (const { key } of spec.items.slice(1)) if (isScalar(key)) key.spaceBefore = true;
    for (const path of secretPaths) {
      const secret = document.getIn(path, true);
      if (!isScalar(secret)) continue;
      if (secret.value === '') secret.comment = ' not shown by MKE 3: fill it in before applying';
      else if (!withSecrets) {
        secret.value = '';
        secret.comment = ' left out here: --output FILE writes it';
      }
    }
  }
  const license = document.getIn(['spec', 'license', 'token'], true);
  if (isScalar(license) && license.value === '')
    license.comment = ' not in the configuration of MKE 3: fill it in before applying';
  document.commentBefore = ' Configuration of MKE 4, made by runner.';
  return document.toString({ lineWidth: 0 }).replaceAll(/^ +$/gm, '');
}

/** mkectl writes all keys in alphabetical order. */
function inVendorOrder(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(inVendorOrder);
  if (!isJsonObject(value)) return value;
  const sorted = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, one]) => [key, inVendorOrder(one)]));
}
