import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { exec, type Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { HostFacts, Module, PlannedUndo } from '../core/module.ts';
import {
  nodeMarks,
  type NodeMarks,
  nodeSchedulable,
  podsToMove,
  requiredLabels,
} from '../facts/kubernetes.ts';
import { quoteAll } from '../util/shell.ts';
import { kubectlCall, kubectlProperties } from './lib/gate.ts';

const marks = (description: string) =>
  ({
    type: 'object',
    additionalProperties: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    description,
  }) as const;

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, description: 'Name of the node in Kubernetes.' },
    state: {
      enum: ['cordoned', 'drained', 'uncordoned'],
      description:
        'cordoned: the node takes no new pods. drained: also evict its pods. uncordoned: the node takes pods. Default: unchanged. Without state, labels, annotations, taints and remove_prefixes, the result only reports whether the node is "unschedulable".',
    },
    labels: marks('Labels to set, by name; null removes one.'),
    annotations: marks('Annotations to set, by name; null removes one.'),
    taints: marks(
      'Taints to set, by key, as EFFECT or VALUE:EFFECT, such as NoSchedule. Several are separated by commas; null removes all taints of the key.',
    ),
    remove_prefixes: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      description:
        'Remove every label, annotation and taint whose name starts with one of these. Labels that pods on the node require stay; the result lists them in "kept".',
    },
    ...kubectlProperties,
    delete_emptydir_data: {
      type: 'boolean',
      description: 'Also evict pods with emptyDir volumes, whose data is lost. Default: false.',
    },
    force: {
      type: 'boolean',
      description:
        'Also evict pods without a controller, which are not started elsewhere. Default: false.',
    },
    disable_eviction: {
      type: 'boolean',
      description:
        'Delete pods instead of evicting them, which ignores disruption budgets. Default: false.',
    },
    grace_period: {
      type: 'integer',
      minimum: 0,
      description: 'Seconds that each pod has to terminate. Default: that of the pod.',
    },
    pod_selector: {
      type: 'string',
      minLength: 1,
      description: 'Label selector of the pods to evict. Default: all pods.',
    },
    timeout: {
      type: 'integer',
      minimum: 1,
      description: 'Time limit for the drain in seconds. Default: 300.',
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const k8s_node: Module<Args> = {
  name: 'k8s_node',
  summary: 'Cordon, drain, uncordon, label, annotate or taint a Kubernetes node.',
  args: schema,
  effect: 'restores',

  async plan(args, { host }) {
    const { name, state } = args;
    const call = kubectlCall(args);
    const missing = () =>
      new TaskError(`Kubernetes has no node "${name}".`, {
        hint: `List them with: ${call.join(' ')} get nodes.`,
      });
    const kubectl: Kubectl = (...words) => exec(...([...call, ...words] as [string, ...string[]]));
    const result: JsonObject = { name };
    const actions: Action[] = [];
    let takesPods: boolean | undefined;
    if (state !== undefined || !changesMarks(args)) {
      const found = await schedulingActions(args, host, call);
      if (found === undefined) throw missing();
      actions.push(...found.actions);
      takesPods = found.result['unschedulable'] === false;
      Object.assign(result, found.result);
    }
    const wanted = await marksToSet(args, host);
    if (wanted === 'no node') throw missing();
    actions.push(...markActions(name, wanted, kubectl));
    if (wanted.kept.length > 0) result['kept'] = wanted.kept;
    return { actions, result, undo: undoOf(args, takesPods, wanted.before) };
  },
};

/** Restores scheduling, labels, annotations and taints. Evicted pods are not moved back. */
function undoOf(args: Args, takesPods: boolean | undefined, before: JsonObject): PlannedUndo {
  const { name, kubectl, kubeconfig, context, state } = args;
  const found = {
    ...(state === undefined ? {} : { state: takesPods === false ? 'cordoned' : 'uncordoned' }),
    ...before,
  };
  if (Object.keys(found).length === 0) return { calls: [] };
  const how = Object.entries({ kubectl, kubeconfig, context }).filter(
    ([, value]) => value !== undefined,
  );
  const call = { name, ...found, ...(Object.fromEntries(how) as JsonObject) };
  return { calls: [{ module: 'k8s_node', args: call }] };
}

type Kubectl = (...words: string[]) => Action;

function changesMarks({ labels, annotations, taints, remove_prefixes: prefixes }: Args): boolean {
  return [labels, annotations, taints, prefixes].some((one) => one !== undefined);
}

async function schedulingActions(
  args: Args,
  host: HostFacts,
  call: readonly string[],
): Promise<{ actions: Action[]; result: JsonObject } | undefined> {
  const { name, state } = args;
  const key = JSON.stringify(call);
  const change = (verb: string): Action => ({ kind: 'exec', argv: [...call, verb, name] });
  const [takesPods, pods] = await Promise.all([
    host.fact(nodeSchedulable, key, name),
    state === 'drained' ? host.fact(podsToMove, key, name) : [],
  ]);
  if (takesPods === undefined) return undefined;
  const result = { unschedulable: !takesPods, pods };
  if (state === undefined) return { actions: [], result: { unschedulable: !takesPods } };
  if (state === 'uncordoned') return { actions: takesPods ? [] : [change('uncordon')], result };
  if (state === 'cordoned') return { actions: takesPods ? [change('cordon')] : [], result };
  const settled = !takesPods && pods.length === 0;
  const drain = quoteAll([...call, 'drain', name, ...drainFlags(args)]);
  return { actions: settled ? [] : [exec('/bin/sh', '-c', `set -- ${drain}\n${DRAIN}`)], result };
}

type Values = Record<string, string | null>;

interface MarkChanges {
  labels: Values;
  annotations: Values;
  taints: Values;
  /** Labels that match a prefix but stay, because pods require them. */
  kept: string[];
  /** Arguments that restore the current values of what changes. */
  before: JsonObject;
}

/** The wanted values that differ from those of the node. */
async function marksToSet(args: Args, host: HostFacts): Promise<MarkChanges | 'no node'> {
  const { name, remove_prefixes: prefixes = [] } = args;
  const none = { labels: {}, annotations: {}, taints: {}, kept: [], before: {} };
  if (!(args.labels || args.annotations || args.taints || prefixes.length > 0)) return none;
  const key = JSON.stringify(kubectlCall(args));
  const [node, required] = await Promise.all([
    host.fact(nodeMarks, key, name),
    prefixes.length > 0 ? host.fact(requiredLabels, key, name) : [],
  ]);
  if (node === undefined) return 'no node';
  const has = {
    labels: node.labels,
    annotations: node.annotations,
    taints: taintsByKey(node),
  };
  const kept: string[] = [];
  const gone = (present: Record<string, string>, keep: readonly string[]): Values =>
    Object.fromEntries(
      Object.keys(present)
        .filter((one) => prefixes.some((prefix) => one.startsWith(prefix)))
        .filter((one) => !keep.includes(one) || (kept.push(one), false))
        .map((one) => [one, null]),
    );
  const changes = {
    labels: differing({ ...gone(has.labels, required), ...args.labels }, has.labels),
    annotations: differing({ ...gone(has.annotations, []), ...args.annotations }, has.annotations),
    taints: differing({ ...gone(has.taints, []), ...args.taints }, has.taints),
  };
  const before = Object.fromEntries(
    Object.entries(changes)
      .filter(([, values]) => Object.keys(values).length > 0)
      .map(([kind, values]) => [
        kind,
        Object.fromEntries(
          Object.keys(values).map((one) => [one, has[kind as keyof typeof has][one] ?? null]),
        ),
      ]),
  );
  return { ...changes, kept, before };
}

function differing(wanted: Values, has: Record<string, string>): Values {
  return Object.fromEntries(
    Object.entries(wanted).filter(([name, value]) => (has[name] ?? null) !== value),
  );
}

/** Kubernetes allows several taints with one key, each with another effect. */
function taintsByKey({ taints }: NodeMarks): Record<string, string> {
  const byKey: Record<string, string[]> = {};
  for (const { key, value, effect } of taints)
    (byKey[key] ??= []).push(value === '' ? effect : `${value}:${effect}`);
  return Object.fromEntries(Object.entries(byKey).map(([key, list]) => [key, list.join(',')]));
}

function markActions(node: string, changes: MarkChanges, kubectl: Kubectl): Action[] {
  const call = (verb: string, words: string[]): Action[] =>
    words.length === 0 ? [] : [kubectl(verb, 'node', node, '--overwrite', ...words)];
  const assigned = (values: Values): string[] =>
    Object.entries(values).map(([name, value]) =>
      value === null ? `${name}-` : `${name}=${value}`,
    );
  const taints = Object.entries(changes.taints);
  const old = (changes.before['taints'] ?? {}) as Values;
  return [
    ...call('label', assigned(changes.labels)),
    ...call('annotate', assigned(changes.annotations)),
    // kubectl does not remove and set taints of one key in the same call.
    ...call(
      'taint',
      taints.filter(([key]) => old[key] !== null).map(([key]) => `${key}-`),
    ),
    ...call(
      'taint',
      taints.flatMap(([key, value]) =>
        (value?.split(',') ?? []).map((one) => `${key}${one.includes(':') ? '=' : ':'}${one}`),
      ),
    ),
  ];
}

/**
 * kubectl repeats a refused eviction every 5 s, and in the end reports only the timeout. On failure, this script prints each
 * refusal once, and in the last line the pods that were not evicted, with the reasons.
 */
const DRAIN = `{ said=$("$@" 2>&1 >&3); code=$?; } 3>&1
[ "$code" -eq 0 ] || said=$(printf '%s\\n' "$said" | awk '
  match($0, / \\(will retry after [^)]*\\): /) {
    if (seen[$0]++) next
    pod = substr($0, 1, RSTART - 1)
    reason = substr($0, RSTART + RLENGTH)
    sub(/[.]$/, "", reason)
    if (!(pod in why)) refused[++count] = pod
    why[pod] = reason
    print
    next
  }
  { print; rest = rest "\\n" $0 }
  END {
    for (i = 1; i <= count; i++) {
      if (index(rest, refused[i] ": ") == 0) continue
      split(refused[i], part, "\\"")
      list = list (list == "" ? "" : ", ") part[4] "/" part[2] ": " why[refused[i]]
    }
    if (list != "") print "Pods that are not evicted: " list
  }')
[ -z "$said" ] || printf '%s\\n' "$said" >&2
exit "$code"`;

function drainFlags(args: Args): string[] {
  return [
    '--ignore-daemonsets',
    ...(args.delete_emptydir_data ? ['--delete-emptydir-data'] : []),
    ...(args.force ? ['--force'] : []),
    ...(args.disable_eviction ? ['--disable-eviction'] : []),
    ...(args.grace_period === undefined ? [] : [`--grace-period=${String(args.grace_period)}`]),
    ...(args.pod_selector === undefined ? [] : [`--pod-selector=${args.pod_selector}`]),
    `--timeout=${String(args.timeout ?? 300)}s`,
  ];
}
