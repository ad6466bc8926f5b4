// The kubectl calls of roles, modules and tests, implemented with the API of the k0s stand-in.
import { renderJsonPath, sortKeys } from './jsonpath.ts';
import { podsOf, type Marking, type NodeView, type Pod } from './nodes.ts';
import { parseFlags, stop, type FlagTable } from './words.ts';

export interface Api {
  /** @returns the body, or undefined for status 404 */
  get(path: string): Promise<string | undefined>;
  change(node: string, marking: Marking): Promise<void>;
  /** Deletes an object in the namespace kube-system. Returns whether it existed. */
  remove(kind: string, name: string): boolean;
}

const EVERYWHERE = ['namespace', 'request-timeout', 'kubeconfig', 'context'];
const VERBS: Record<string, FlagTable> = {
  get: {
    booleans: ['all-namespaces'],
    values: [...EVERYWHERE, 'output', 'selector', 'field-selector', 'raw'],
  },
  wait: { booleans: ['all'], values: [...EVERYWHERE, 'for', 'timeout', 'selector'] },
  cordon: { booleans: [], values: EVERYWHERE },
  uncordon: { booleans: [], values: EVERYWHERE },
  drain: {
    booleans: ['ignore-daemonsets', 'delete-emptydir-data', 'force', 'disable-eviction'],
    values: [...EVERYWHERE, 'pod-selector', 'grace-period', 'timeout'],
  },
  label: { booleans: ['overwrite'], values: EVERYWHERE },
  annotate: { booleans: ['overwrite'], values: EVERYWHERE },
  taint: { booleans: ['overwrite'], values: EVERYWHERE },
  rollout: { booleans: [], values: [...EVERYWHERE, 'timeout'] },
  delete: { booleans: ['ignore-not-found'], values: [...EVERYWHERE, 'selector', 'field-selector'] },
};
const SHORT = { n: 'namespace', o: 'output', l: 'selector', A: 'all-namespaces' };
const DAEMONSETS = ['calico-node', 'konnectivity-agent'];

export async function kubectl(words: readonly string[], api: Api): Promise<void> {
  // Flags can precede the verb, such as "-n kube-system".
  const verb = words.find((word) => Object.hasOwn(VERBS, word)) ?? '';
  const unknown = (): never => stop(`k0s kubectl (stand-in): ${words.join(' ')} is not known here`);
  const table = VERBS[verb] ?? unknown();
  const { flags, rest } = parseFlags(
    words,
    table,
    SHORT,
    `\nSee 'k0s kubectl ${verb} --help' for usage.`,
  );
  const [, ...objects] = rest;
  const call: Call = { verb, objects, flags, api };
  switch (verb) {
    case 'get':
      return get(call, unknown);
    case 'wait':
      return waitFor(call);
    case 'cordon':
    case 'uncordon':
      return setSchedulable(call);
    case 'drain':
      return drain(call);
    case 'rollout':
      return rollout(call);
    case 'delete':
      return remove(call, unknown);
    default:
      return markNode(call);
  }
}

interface Call {
  verb: string;
  objects: string[];
  flags: Map<string, string>;
  api: Api;
}

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const notFound = (kind: string, name: string): never =>
  stop(`Error from server (NotFound): ${kind} "${name}" not found`);

async function nodes(api: Api): Promise<NodeView[]> {
  const { items } = JSON.parse((await api.get('/api/v1/nodes')) ?? '{"items":[]}') as {
    items: NodeView[];
  };
  return items;
}

async function nodeOf(api: Api, name = ''): Promise<NodeView> {
  const text = await api.get(`/api/v1/nodes/${name}`);
  return text === undefined ? notFound('nodes', name) : (JSON.parse(text) as NodeView);
}

const isReady = ({ status }: NodeView): boolean =>
  status.conditions.some(({ type, status: state }) => type === 'Ready' && state === 'True');

async function get({ objects, flags, api }: Call, unknown: () => never): Promise<void> {
  const raw = flags.get('raw');
  if (raw !== undefined) {
    process.stdout.write((await api.get(raw)) ?? notFound('paths', raw));
    return;
  }
  const [kind = '', name] = objects;
  const list = (items: unknown[]): unknown => ({
    apiVersion: 'v1',
    items,
    kind: 'List',
    metadata: { resourceVersion: '' },
  });
  let shown: unknown;
  if (/^nodes?$/.test(kind))
    shown = name === undefined ? list(await nodes(api)) : await nodeOf(api, name);
  else if (/^pods?$/.test(kind) && name === undefined) {
    const everywhere = flags.has('all-namespaces') || flags.get('namespace') === 'kube-system';
    const pods = everywhere ? (await nodes(api)).flatMap(podsOf) : [];
    shown = list(pods.filter((pod) => isSelected(pod, flags)));
  } else if (/^services?$/.test(kind)) notFound('services', name ?? '');
  else unknown();
  const format = flags.get('output') ?? '';
  if (format === 'json') say(JSON.stringify(sortKeys(shown), undefined, 4));
  else if (format.startsWith('jsonpath='))
    process.stdout.write(renderJsonPath(format.slice('jsonpath='.length), shown));
  else unknown();
}

/** Filters by labels "NAME=VALUE" and "NAME in (VALUE,VALUE)", and by the node. */
function isSelected({ metadata, spec }: Pod, flags: ReadonlyMap<string, string>): boolean {
  const [, node] = /^spec\.nodeName=(.*)$/.exec(flags.get('field-selector') ?? '') ?? [];
  if (node !== undefined && spec.nodeName !== node) return false;
  const selector = flags.get('selector');
  if (selector === undefined) return true;
  const [, label = '', value, values = value ?? ''] =
    /^([\w./-]+)(?:==?([^,()]*)| in \(([^)]*)\))$/.exec(selector) ??
    stop(`k0s kubectl (stand-in): selector ${selector} is not known here`);
  return values.split(/ *, */).includes(metadata.labels[label] ?? '');
}

const POLL_MS = 500;
const secondsOf = (flags: ReadonlyMap<string, string>): number =>
  Number(/^(\d+)s$/.exec(flags.get('timeout') ?? '')?.[1] ?? '30');

async function waitFor({ objects: [object = ''], flags, api }: Call): Promise<void> {
  const name = object.replace(/^nodes?\//, '');
  const end = Date.now() + secondsOf(flags) * 1000;
  while (!isReady(await nodeOf(api, name))) {
    if (Date.now() > end) stop(`error: timed out waiting for the condition on nodes/${name}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  say(`node/${name} condition met`);
}

async function setSchedulable({ verb, objects: [name = ''], api }: Call): Promise<void> {
  const node = await nodeOf(api, name);
  const cordoned = node.spec.unschedulable === true;
  if (cordoned === (verb === 'cordon')) {
    say(`node/${name} already ${verb}ed`);
    return;
  }
  await api.change(name, { verb: verb === 'cordon' ? 'cordon' : 'uncordon', changes: [] });
  say(`node/${name} ${verb}ed`);
}

/** The stand-in has only DaemonSet pods. */
async function drain(call: Call): Promise<void> {
  const { objects, flags, api } = call;
  const [name = ''] = objects;
  const pods = podsOf(await nodeOf(api, name)).filter(({ metadata }) => {
    const [, value] = /^k8s-app=(.*)$/.exec(flags.get('pod-selector') ?? '') ?? [];
    return value === undefined || metadata.labels['k8s-app'] === value;
  });
  const names = pods.map(({ metadata }) => `kube-system/${metadata.name}`).join(', ');
  await setSchedulable({ ...call, verb: 'cordon' });
  if (flags.get('ignore-daemonsets') !== 'true' && names !== '')
    stop(
      `error: unable to drain node "${name}" due to error:cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): ${names}, continuing command...`,
    );
  if (names !== '') process.stderr.write(`Warning: ignoring DaemonSet-managed Pods: ${names}\n`);
  say(`node/${name} drained`);
}

async function rollout({ objects: [, object = ''], flags, api }: Call): Promise<void> {
  const [, name = ''] = object.split('/');
  if (!DAEMONSETS.includes(name)) notFound('daemonsets.apps', name);
  const end = Date.now() + secondsOf(flags) * 1000;
  // Pods run on ready nodes.
  while (!(await nodes(api)).every(isReady)) {
    if (Date.now() > end) stop('error: timed out waiting for the condition');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  say(`daemon set "${name}" successfully rolled out`);
}

/** MKE 3 objects are in the restored data; k0s objects have the k0s label. */
async function remove({ objects, flags, api }: Call, unknown: () => never): Promise<void> {
  // k0s creates it again.
  if (objects.join(' ') === 'endpoints/kubernetes endpointslices/kubernetes') {
    await api.get('/readyz');
    say('endpoints "kubernetes" deleted\nendpointslice.discovery.k8s.io "kubernetes" deleted');
    return;
  }
  const [kinds = ''] = objects;
  const [, name = ''] = /^metadata\.name=(.+)$/.exec(flags.get('field-selector') ?? '') ?? [];
  if (name === '' || flags.get('selector') !== '!k0s.k0sproject.io/stack') unknown();
  // The API must respond.
  await api.get('/readyz');
  const removed = kinds.split(',').filter((kind) => api.remove(kind, name));
  for (const kind of removed) say(`${kind}.apps "${name}" deleted`);
  if (removed.length === 0) say('No resources found');
}

async function markNode({ verb, objects, flags, api }: Call): Promise<void> {
  const [kind = '', name = '', ...changes] = objects;
  if (!/^nodes?$/.test(kind)) stop(`k0s kubectl (stand-in): ${verb} ${kind} is not known here`);
  const node = await nodeOf(api, name);
  if (verb !== 'label') {
    const marking: Marking = { verb: verb === 'taint' ? 'taint' : 'annotate', changes };
    await api.change(name, marking);
    say(`node/${name} ${verb === 'taint' ? 'tainted' : 'annotated'}`);
    return;
  }
  const { labels } = node.metadata;
  let did = 'not labeled';
  const effective = changes.filter((change) => {
    const [label = '', value] = change.split('=', 2);
    if (value === undefined) {
      const removed = change.replace(/-$/, '');
      if (labels[removed] === undefined) {
        say(`label "${removed}" not found.`);
        return false;
      }
      if (did !== 'labeled') did = 'unlabeled';
      return true;
    }
    const old = labels[label];
    if (old === value) return false;
    if (old !== undefined && flags.get('overwrite') !== 'true')
      stop(`error: '${label}' already has a value (${old}), and --overwrite is false`);
    did = 'labeled';
    return true;
  });
  if (effective.length > 0) await api.change(name, { verb: 'label', changes: effective });
  say(`node/${name} ${did}`);
}
