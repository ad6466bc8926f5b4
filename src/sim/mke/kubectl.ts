import { nodeNamed, type KubeNode, type MkeNode } from './cluster.ts';
import { DATA } from './k0s-service.ts';
import { refuse, unknown } from './refusal.ts';
import { isActive } from './units.ts';

/** `k0s kubectl`: the calls that the upgrade makes. Returns the output. */
export function kubectl(node: MkeNode, words: readonly string[]): string {
  if (!node.host.tree.get(`${DATA}/pki/admin.conf`))
    refuse(
      `Error: cannot stat k0s kubeconfig, is the server running?: stat ${DATA}/pki/admin.conf: no such file or directory`,
    );
  if (!isActive(node, 'k0scontroller.service'))
    refuse(
      'The connection to the server localhost:6443 was refused - did you specify the right host or port?',
    );
  const plain = words.filter((word) => !/^--(request-)?timeout=/.test(word));
  const text = plain.join(' ');
  for (const [pattern, call] of calls) {
    const found = pattern.exec(text);
    if (found) return call(node, found[1] ?? '', plain);
  }
  return unknown('kubectl', words);
}

type Answer = (node: MkeNode, name: string, words: readonly string[]) => string;

const calls: [RegExp, Answer][] = [
  [/^get --raw \/readyz$/, () => 'ok'],
  [
    /^get nodes -o jsonpath=\{range \.items\[\*\]\}\{\.metadata\.name\}\{"\\t"\}\{\.status/,
    nodeRows,
  ],
  [
    /^get node (\S+) -o jsonpath=\{\.metadata\.labels\}\{"\\n"\}\{\.metadata\.annotations\}\{"\\n"\}\{\.spec\.taints\}$/,
    marksOf,
  ],
  [/^label node (\S+) --overwrite /, (node, name, words) => label(node, name, words.slice(4))],
  [/^taint node (\S+) --overwrite /, (node, name, words) => taint(node, name, words.slice(4))],
  [
    /^-n kube-system rollout status daemonset\/(calico-node|konnectivity-agent)$/,
    ({ cluster: { kube } }, name) => {
      if ([...kube.values()].some(({ ready }) => ready !== 'True'))
        refuse('error: timed out waiting for the condition');
      return `daemon set "${name}" successfully rolled out\n`;
    },
  ],
  [
    /^get pods -n kube-system -l .* -o jsonpath=\{range \.items\[\*\]\}\{\.metadata\.name\}/,
    agents,
  ],
  [/^-n kube-system get service kube-dns -o jsonpath=/, ({ cluster: { dns } }) => dns],
  // The pods of the lab have no node selectors.
  [
    /^get pods --all-namespaces --field-selector spec\.nodeName=(\S+) -o jsonpath=\{range \.items\[\*\]\}\{\.spec\.nodeSelector\}/,
    () => '',
  ],
  // k0s creates these objects again.
  [
    /^-n default delete --ignore-not-found endpoints\/kubernetes endpointslices\/kubernetes$/,
    () => 'endpoints "kubernetes" deleted\nendpointslice.discovery.k8s.io "kubernetes" deleted\n',
  ],
  [
    /^-n kube-system delete daemonset,deployment --field-selector metadata\.name=(\S+) --selector !k0s\.k0sproject\.io\/stack$/,
    deleteObjects,
  ],
];

function inOrder<T>(values: ReadonlyMap<string, T>): [string, T][] {
  return [...values].sort(([one], [other]) => (one < other ? -1 : 1));
}

function nodeRows({ cluster: { kube } }: MkeNode): string {
  return inOrder(kube)
    .map(([name, { ready, version, runtime }]) => `${[name, ready, version, runtime].join('\t')}\n`)
    .join('');
}

/**
 * Labels, annotations and taints of a node in the API of k0s, initially those that the node had
 * before.
 */
function marks({ cluster: { kube, plane } }: MkeNode, name: string) {
  const own: KubeNode =
    kube.get(name) ?? refuse(`Error from server (NotFound): nodes "${name}" not found`);
  const known = plane?.marks.get(name) ?? {
    ...{ labels: new Map(own.labels), annotations: new Map(own.annotations) },
    taints: [...own.taints],
  };
  plane?.marks.set(name, known);
  return known;
}

function marksOf(node: MkeNode, name: string): string {
  const { labels, annotations, taints } = marks(node, name);
  const shown = taints.map((text) => {
    const [, key = '', , value, effect = ''] = /^([^=:]*)(=([^:]*))?:(.*)$/.exec(text) ?? [];
    return value === undefined ? { effect, key } : { effect, key, value };
  });
  const lines = [
    JSON.stringify(Object.fromEntries(inOrder(labels))),
    annotations.size > 0 ? JSON.stringify(Object.fromEntries(inOrder(annotations))) : '',
    ...(taints.length > 0 ? [JSON.stringify(shown)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function label(node: MkeNode, name: string, words: readonly string[]): string {
  const { labels } = marks(node, name);
  let did = 'not labeled';
  const said = words.map((word) => {
    const [key = '', value] = word.split('=');
    if (value === undefined) {
      const gone = key.replace(/-$/, '');
      if (!labels.delete(gone)) return `label "${gone}" not found.\n`;
      if (did === 'not labeled') did = 'unlabeled';
    } else if (labels.get(key) !== value) {
      labels.set(key, value);
      did = 'labeled';
    }
    return '';
  });
  return `${said.join('')}node/${name} ${did}\n`;
}

/** KEY- removes a taint; any other argument replaces the taint with the same key. */
function taint(node: MkeNode, name: string, words: readonly string[]): string {
  const known = marks(node, name);
  for (const word of words) {
    const key = word.replace(/-$/, '').split(/[=:]/)[0] ?? '';
    const others = known.taints.filter((one) => one.split(/[=:]/)[0] !== key);
    known.taints = word.endsWith('-') ? others : [...others, word];
  }
  return `node/${name} tainted\n`;
}

/** The agent of each node is its SSH server, since there is no pod network. */
function agents({ cluster }: MkeNode): string {
  return inOrder(cluster.kube)
    .filter(([, { runtime }]) => runtime.startsWith('containerd:'))
    .map(([name]) => {
      const address = nodeNamed(cluster, name)?.address ?? '';
      return `konnectivity-agent-${name}\t${name}\tRunning\t\t${address}\tTCP/2222 TCP/ TCP/ \n`;
    })
    .join('');
}

/** Deletes workloads of MKE 3, which are in the restored data. Those of k0s have its label. */
function deleteObjects({ host: { tree }, cluster: { plane } }: MkeNode, name: string): string {
  const store = tree.get(`${DATA}/etcd/member/snap/db`)?.content.toString() ?? '';
  const found = ['daemonset', 'deployment'].filter(
    (kind) =>
      plane?.deleted.has(`${kind}-${name}`) === false &&
      store.includes(`/registry/${kind}s/kube-system/${name}\t`),
  );
  for (const kind of found) plane?.deleted.add(`${kind}-${name}`);
  return found.length === 0
    ? 'No resources found\n'
    : found.map((kind) => `${kind}.apps "${name}" deleted\n`).join('');
}
