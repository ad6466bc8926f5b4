import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../../core/errors.ts';
import { toJson, objectOf, type JsonObject } from '../../core/json.ts';
import type { Module } from '../../core/module.ts';
import { containers } from '../../facts/container.ts';
import { accessProperties, Mke3Client } from '../api.ts';

const schema = {
  type: 'object',
  properties: {
    ...accessProperties,
    node: { type: 'string', minLength: 1, description: 'Name of this host in Kubernetes.' },
    known: {
      type: 'array',
      items: { type: 'string' },
      description:
        'UIDs of pods that the API did not know earlier. The step fails if it finds others. Without it, the pods are only listed.',
    },
  },
  required: ['url', 'username', 'password', 'node'],
  additionalProperties: false,
} as const satisfies JSONSchema;

interface Phantom {
  /** `namespace/name`. */
  pod: string;
  uid: string;
}

export const mke3_pods: Module<FromSchema<typeof schema>> = {
  name: 'mke3_pods',
  summary:
    'List the pods that run in Docker on a host, but that the API of MKE 3 does not know ("phantom pods").',
  args: schema,
  effect: 'reads',

  async plan({ url, username, password, ca, node, known }, { host, controller }) {
    const client = new Mke3Client({ url, username, password, ca }, (request) =>
      controller.request(request),
    );
    // A new pod is in the API before it runs, and one that was deleted leaves it after it has ended.
    const found = await host.fact(
      containers,
      JSON.stringify(['docker']),
      JSON.stringify(['label=io.kubernetes.docker.type']),
    );
    const uids = new Set((await client.pods(node)).flatMap(uidsOf));
    const phantoms = new Map<string, Phantom>();
    for (const { running, labels } of found) {
      const uid = labels['io.kubernetes.pod.uid'];
      if (!running || typeof uid !== 'string' || uids.has(uid)) continue;
      const name = labels['io.kubernetes.pod.name'];
      const namespace = labels['io.kubernetes.pod.namespace'];
      phantoms.set(uid, { pod: `${String(namespace)}/${String(name)}`, uid });
    }
    const list = [...phantoms.values()].sort((a, b) => (a.pod < b.pod ? -1 : 1));
    const added = list.filter(({ uid }) => known !== undefined && !known.includes(uid));
    if (added.length > 0)
      throw new TaskError(
        `These pods run on the host, but MKE 3 does not know them: ${added.map(({ pod, uid }) => `${pod} (UID ${uid})`).join(', ')}.`,
        {
          hint: `Run "docker restart ucp-kubelet" on the host, which ends such pods. If one stays: docker rm -f $(docker ps -aq --filter label=io.kubernetes.pod.uid=UID).`,
        },
      );
    return { actions: [], result: { phantoms: list.map(toJson) } };
  },
};

/** Of a static pod, the kubelet uses the hash of its file; the API has an object with a UID of its own for it. */
function uidsOf(pod: JsonObject): string[] {
  const { uid, annotations } = objectOf(pod['metadata']);
  const hash = objectOf(annotations)['kubernetes.io/config.hash'];
  return [uid, hash].filter((one): one is string => typeof one === 'string');
}
