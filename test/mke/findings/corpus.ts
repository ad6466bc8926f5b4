import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/core/json.ts';
import { listOf, textOf } from '../../../src/mke/findings/cluster-view.ts';
import type { Finding } from '../../../src/mke/findings/finding.ts';
import type { HostFacts } from '../../../src/mke/findings/host-facts.ts';
import { NEEDED_PORTS } from '../../../src/mke/findings/host-ports.ts';
import type { Accounts } from '../../../src/mke/findings/lost-access.ts';
import { workloadFindings } from '../../../src/mke/findings/workload-findings.ts';
import { helmSecret } from '../../helpers/helm.ts';

const directory = join(import.meta.dirname, 'corpus');

export const RELEASE = 'v1.29.15+k0s.0';

/** Every kind is complete: objects that are not in a file do not exist. */
export const COMPLETE = new Set(
  'Pod Deployment StatefulSet DaemonSet ReplicaSet ReplicationController Job CronJob Node'.split(
    ' ',
  ),
);

export interface CorpusFile {
  name: string;
  /** ID of the expected finding; empty for none. */
  finds: string;
  text: string;
}

export function corpusFiles(kind: 'defect' | 'clean'): CorpusFile[] {
  return readdirSync(join(directory, kind))
    .sort()
    .map((file) => {
      const text = readFileSync(join(directory, kind, file), 'utf8');
      const finds = /^# finds: (\w+)$/m.exec(text)?.[1] ?? '?';
      return { name: file.replace('.yaml', ''), finds: finds === 'nothing' ? '' : finds, text };
    });
}

export function parseDocuments(text: string): JsonObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const value = document.toJS() as JsonValue;
    return isJsonObject(value) ? [value] : [];
  });
}

function hostFacts(document: JsonObject): HostFacts {
  const images = listOf(document['images']).map((one) => ({
    name: textOf(one['name']),
    in_registry: one['in_registry'] === true,
  }));
  const { host, daemon_json } = document;
  return { host: textOf(host), daemon_json: textOf(daemon_json), images };
}

function accountsOf({ users, teams, orgs }: JsonObject): Accounts {
  const account = (one: JsonObject) => ({ id: textOf(one['id']), name: textOf(one['name']) });
  return {
    users: listOf(users).map((one) => ({ ...account(one), bundles: Number(one['bundles']) })),
    teams: listOf(teams).map(account),
    orgs: listOf(orgs).map(account),
  };
}

/** Runs the checks on the documents of a file: Kubernetes objects, host facts and accounts. */
export function findingsIn(text: string, release = RELEASE): Finding[] {
  const documents = parseDocuments(text);
  const of = (kind: string) => documents.filter((one) => one['kind'] === kind);
  const others = ['HostFacts', 'Metrics', 'Accounts', 'HelmRelease'];
  const objects = documents
    .filter((one) => !others.includes(textOf(one['kind'])))
    .flatMap((one) => (one['kind'] === 'List' ? listOf(one['items']) : [one]));
  return workloadFindings({
    view: { objects: [...objects, ...of('HelmRelease').map(helmSecret)], complete: COMPLETE },
    hosts: of('HostFacts').map(hostFacts),
    accounts: accountsOf(of('Accounts')[0] ?? {}),
    metrics: of('Metrics')
      .map((one) => textOf(one['text']))
      .join('\n'),
    release,
    ports: NEEDED_PORTS,
  });
}
