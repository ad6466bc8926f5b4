import { TaskError } from '../core/errors.ts';
import type { Fact } from '../core/fact.ts';
import { quoteAll } from '../util/shell.ts';

/** Whether a node takes pods; undefined when the cluster has no such node. The call is words as JSON. */
export const nodeSchedulable: Fact<[call: string, node: string], boolean | undefined> = {
  name: 'kubernetes.schedulable',
  command: (call, node) => ({
    script: quoteAll([
      ...(JSON.parse(call) as string[]),
      ...['get', 'node', node, '-o', 'jsonpath={.spec.unschedulable}'],
    ]),
  }),
  parse({ code, stdout, stderr }, _call, node) {
    if (code === 0) return stdout.trim() !== 'true';
    if (stderr.includes('NotFound')) return undefined;
    throw new TaskError(`Kubernetes does not say anything about node "${node}": ${stderr.trim()}`);
  },
};

const POD =
  '{.metadata.namespace}/{.metadata.name} {.metadata.ownerReferences[0].kind} {.status.phase} {.metadata.annotations.kubernetes\\.io/config\\.mirror}';

/** Pods on a node that a drain would move: not those of DaemonSets, static ones, and ones that have ended. */
export const podsToMove: Fact<[call: string, node: string], string[]> = {
  name: 'kubernetes.pods',
  command: (call, node) => ({
    script: quoteAll([
      ...(JSON.parse(call) as string[]),
      ...['get', 'pods', '--all-namespaces', '--field-selector', `spec.nodeName=${node}`],
      ...['-o', `jsonpath={range .items[*]}${POD}{"\\n"}{end}`],
    ]),
  }),
  parse({ code, stdout, stderr }, _call, node) {
    if (code !== 0)
      throw new TaskError(`Kubernetes does not list the pods of "${node}": ${stderr.trim()}`);
    return stdout.split('\n').flatMap((line) => {
      const [name = '', owner = '', phase = '', mirror = ''] = line.split(' ');
      const stays =
        owner === 'DaemonSet' || mirror !== '' || ['Succeeded', 'Failed'].includes(phase);
      return name === '' || stays ? [] : [name];
    });
  },
};
