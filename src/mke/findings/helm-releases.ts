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
 * Helm keeps each revision of a release in a Secret of type helm.sh/release.v1, or in a ConfigMap with the label owner=helm: JSON, in
 * gzip, in base64, which the API wraps in base64 once more for a Secret. The values of a release are secrets, so nothing leaves this
 * file but names, API versions and kinds.
 */

/** A release larger than this when unpacked is not read: a small Secret can unpack to gigabytes. */
const MOST_BYTES = 32 * 1024 * 1024;

interface Release {
  name: string;
  namespace: string;
  revision: number;
  status: string;
  /** API versions and kinds of what it installs, with names. */
  parts: { apiVersion: string; kind: string; name: string }[];
}

/** Releases whose next upgrade fails, since Helm reads the objects of the installed revision in their old API versions. */
export function helmReleases({ objects }: ClusterView, release: string): Finding[] {
  const current = new Map<string, JsonObject>();
  const holders = objects.filter(holdsRelease).sort((a, b) => revisionOf(a) - revisionOf(b));
  for (const holder of holders) {
    const key = `${namespaceOf(holder)}/${releaseOf(holder)}`;
    const known = current.get(key);
    // Helm upgrades from the revision that is deployed; a later one that failed does not count.
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
        evidence: `The release cannot be read: ${read}. Whether it has API versions that the new release does not serve is not known.`,
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
      evidence: `Revision ${String(read.revision)} has objects in API versions that the new release does not serve: ${named([...new Set(parts)])}. What runs stays, but "helm upgrade" of the release fails.`,
      remedy: `helm plugin install https://github.com/helm/helm-mapkubeapis; helm mapkubeapis -n ${read.namespace} ${read.name}`,
    },
  ];
}

/** @returns why it cannot be read, as words after a colon */
export function decodeRelease(holder: JsonObject): Release | string {
  const text = textOf(objectOf(holder['data'])['release']);
  if (text === '') return 'it is empty';
  const wrapped =
    kindOf(holder) === 'Secret' ? Buffer.from(text, 'base64').toString('latin1') : text;
  const packed = Buffer.from(wrapped, 'base64');
  const isGzip = packed[0] === 0x1f && packed[1] === 0x8b;
  let json: JsonValue | undefined;
  try {
    const bytes = isGzip ? gunzipSync(packed, { maxOutputLength: MOST_BYTES }) : packed;
    json = parseJson(bytes.toString('utf8'));
  } catch (error) {
    const isLarge = error instanceof RangeError;
    return isLarge
      ? `it is larger than ${String(MOST_BYTES / 1024 / 1024)} MiB`
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
 * The fields at the top of each document. Manifests of a chart may have megabytes of schemas, so they are only parsed as YAML where
 * the fields are not at the beginning of a line.
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
    // Helm has installed it, so kinds that cannot be read here are not worth an error.
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
