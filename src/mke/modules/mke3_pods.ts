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
    node: { type: 'string', minLength: 1, description: 'Kubernetes node name of the host.' },
    known: {
      type: 'array',
      items: { type: 'string' },
      description:
        'UIDs of phantom pods found earlier. The step fails if it finds others. Default: list the pods without failing.',
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
    'List "phantom pods": pods that run in Docker on a host although the Kubernetes API of MKE 3 does not list them.',
  args: schema,
  effect: 'reads',

  async plan({ url, username, password, ca, node, known }, { host, controller }) {
    const client = new Mke3Client({ url, username, password, ca }, (request) =>
      controller.request(request),
    );
    // List containers before pods: a pod is in the API before its containers start and until they have ended.
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
        `These pods run on the host, but the Kubernetes API does not list them: ${added.map(({ pod, uid }) => `${pod} (UID ${uid})`).join(', ')}.`,
        {
          hint: `Run "docker restart ucp-kubelet" on the host, which stops such pods. If a pod remains, run "docker rm -f $(docker ps -aq --filter label=io.kubernetes.pod.uid=UID)".`,
        },
      );
    return { actions: [], result: { phantoms: list.map(toJson) } };
  },
};

/** UIDs of a pod. For a static pod, the kubelet uses the hash of its file, and the API object has another UID. */
function uidsOf(pod: JsonObject): string[] {
  const { uid, annotations } = objectOf(pod['metadata']);
  const hash = objectOf(annotations)['kubernetes.io/config.hash'];
  return [uid, hash].filter((one): one is string => typeof one === 'string');
}
