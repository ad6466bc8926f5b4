import { gunzipSync } from 'node:zlib';
import { parse } from 'yaml';
import {
  isJsonObject,
  objectOf,
  parseJson,
  type JsonObject,
  type JsonValue,
} from '../../core/json.ts';
import {
  kindOf,
  listOf,
  metadataOf,
  nameOf,
  named,
  namespaceOf,
  textOf,
  type ClusterView,
} from './cluster-view.ts';
import type { Finding } from './finding.ts';
import { removedApi, type RemovedApi } from './removed-api-table.ts';

/*
 * Helm stores each revision of a release in a Secret of type helm.sh/release.v1, or in a ConfigMap with the label owner=helm. The
 * data is JSON, compressed with gzip and encoded in base64; in a Secret, the API adds another base64 encoding. Release values are
 * secret, so only names, API versions and kinds leave this file.
 */

/** Maximum size of an unpacked release: a small Secret can unpack to gigabytes. */
const MAX_BYTES = 32 * 1024 * 1024;

interface Release {
  name: string;
  namespace: string;
  revision: number;
  status: string;
  /** Objects that the release installs. */
  parts: { apiVersion: string; kind: string; name: string }[];
}

/** Finds releases whose next upgrade fails because the installed revision has objects in removed API versions. */
export function helmReleases({ objects }: ClusterView, release: string): Finding[] {
  const current = new Map<string, JsonObject>();
  const holders = objects.filter(holdsRelease).sort((a, b) => revisionOf(a) - revisionOf(b));
  for (const holder of holders) {
    const key = `${namespaceOf(holder)}/${releaseOf(holder)}`;
    const known = current.get(key);
    // Helm upgrades from the deployed revision, not from a later revision that failed.
    const isDeployed = labelOf(holder, 'status') === 'deployed';
    if (isDeployed || !known || labelOf(known, 'status') !== 'deployed') current.set(key, holder);
  }
  return [...current.values()].flatMap((holder) => judge(holder, release));
}

function holdsRelease(object: JsonObject): boolean {
  const isKept = !['superseded', 'uninstalled'].includes(labelOf(object, 'status'));
  const isSecret = kindOf(object) === 'Secret' && object['type'] === 'helm.sh/release.v1';
  const isMap = kindOf(object) === 'ConfigMap' && labelOf(object, 'owner').toLowerCase() === 'helm';
  return isKept && (isSecret || isMap);
}

const labelOf = (object: JsonObject, label: string): string =>
  textOf(objectOf(metadataOf(object)['labels'])[label]);

const revisionOf = (object: JsonObject): number =>
  Number(/\.v(\d+)$/.exec(nameOf(object))?.[1] ?? 0);

const releaseOf = (holder: JsonObject): string =>
  /^sh\.helm\.release\.v1\.(.+)\.v\d+$/.exec(nameOf(holder))?.[1] ?? nameOf(holder);

function judge(holder: JsonObject, version: string): Finding[] {
  const fromName = releaseOf(holder);
  const object = `Helm release ${namespaceOf(holder)}/${fromName}`;
  const base = { id: 'removed_api_helm', blocking: false, object };
  const read = decodeRelease(holder);
  if (typeof read === 'string')
    return [
      {
        ...base,
        severity: 'info',
        evidence: `The release cannot be read: ${read}. It could contain API versions that the new Kubernetes release does not serve.`,
        remedy: `helm get manifest -n ${namespaceOf(holder)} ${fromName} | grep -E '^(apiVersion|kind):'`,
      },
    ];
  const removed = read.parts.flatMap((part): (RemovedApi & { name: string })[] => {
    const found = removedApi(part.apiVersion, part.kind, version);
    return found ? [{ ...found, name: part.name }] : [];
  });
  if (removed.length === 0) return [];
  const parts = removed.map(({ kind, name, apiVersion }) => `${kind} ${name} (${apiVersion})`);
  return [
    {
      ...base,
      severity: 'warning',
      evidence: `Revision ${String(read.revision)} has objects in API versions that the new Kubernetes release does not serve: ${named([...new Set(parts)])}. The objects are kept, but "helm upgrade" of the release fails.`,
      remedy: `helm plugin install https://github.com/helm/helm-mapkubeapis; helm mapkubeapis -n ${read.namespace} ${read.name}`,
    },
  ];
}

/** @returns the release, or why it cannot be read */
export function decodeRelease(holder: JsonObject): Release | string {
  const text = textOf(objectOf(holder['data'])['release']);
  if (text === '') return 'it is empty';
  const wrapped =
    kindOf(holder) === 'Secret' ? Buffer.from(text, 'base64').toString('latin1') : text;
  const packed = Buffer.from(wrapped, 'base64');
  const isGzip = packed[0] === 0x1f && packed[1] === 0x8b;
  let json: JsonValue | undefined;
  try {
    const bytes = isGzip ? gunzipSync(packed, { maxOutputLength: MAX_BYTES }) : packed;
    json = parseJson(bytes.toString('utf8'));
  } catch (error) {
    const isLarge = error instanceof RangeError;
    return isLarge
      ? `it is larger than ${String(MAX_BYTES / 1024 / 1024)} MiB`
      : 'its data is damaged';
  }
  if (!isJsonObject(json)) return 'its data is damaged';
  const manifests = [json['manifest'], ...listOf(json['hooks']).map((hook) => hook['manifest'])];
  return {
    name: textOf(json['name']),
    namespace: textOf(json['namespace']),
    revision: typeof json['version'] === 'number' ? json['version'] : 0,
    status: textOf(objectOf(json['info'])['status']),
    parts: manifests.flatMap((manifest) => partsOf(textOf(manifest))),
  };
}

/**
 * The kind, API version and name of each document. Manifests can contain megabytes of schemas, so a document is parsed as YAML
 * only if these fields are not at the beginning of a line.
 */
function partsOf(manifest: string): Release['parts'] {
  return manifest.split(/^---.*$/m).flatMap((text) => {
    const field = (name: string) =>
      new RegExp(`^${name}:[ \\t]*["']?([^"'#\\s]+)`, 'm').exec(text)?.[1] ?? '';
    const part = {
      apiVersion: field('apiVersion'),
      kind: field('kind'),
      name:
        /^metadata:[^\S\n]*\n(?:(?:[ \t].*)?\n)*?[ \t]+name:[ \t]*["']?([^"'#\s]+)/m.exec(
          text,
        )?.[1] ?? '',
    };
    if (part.apiVersion !== '' && part.kind !== '' && part.kind !== 'List') return [part];
    return /["']?apiVersion["']?\s*:/.test(text) ? partsOfYaml(text) : [];
  });
}

function partsOfYaml(text: string): Release['parts'] {
  let document: JsonValue;
  try {
    document = parse(text, { maxAliasCount: 100 }) as JsonValue;
  } catch {
    // Helm was able to install it, so ignore documents that this parser rejects.
    return [];
  }
  const object = objectOf(document);
  const items = kindOf(object) === 'List' ? listOf(object['items']) : [object];
  return items.map((one) => ({
    apiVersion: textOf(one['apiVersion']),
    kind: kindOf(one),
    name: nameOf(one),
  }));
}
