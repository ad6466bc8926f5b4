import type { Node, Playbook } from '../language/document.ts';

/**
 * Ids of the steps before a step, in the order of the file, without tasks tagged "always" (such as
 * gathering facts). Undefined if the step does not exist.
 * @param wanted id or name of a step
 */
export function stepsBefore({ plays }: Playbook, wanted: string): string[] | undefined {
  const before: string[] = [];
  const meets = (id: string, name: string): boolean => id === wanted || name === wanted;
  /** Whether the step is among these nodes. Collects the ids of the steps before it. */
  const walk = (nodes: readonly Node[]): boolean =>
    nodes.some((node) => {
      switch (node.kind) {
        case 'task':
          if (meets(node.id, node.name)) return true;
          if (!node.tags.includes('always')) before.push(node.id);
          return false;
        case 'commit':
          if (meets(node.id, node.name)) return true;
          before.push(node.id);
          return false;
        case 'meta':
          before.push(node.task.id);
          return false;
        case 'include': {
          if (meets(node.task.id, node.task.name)) return true;
          // The steps inside an include run only if the include itself runs.
          if (walk(node.preview.nodes)) return true;
          before.push(node.task.id);
          return false;
        }
        case 'block':
          return [node.block, node.rescue, node.always].some(walk);
        case 'flush':
          return false;
      }
    });
  const found = plays.some(({ sections }) => sections.some(({ nodes }) => walk(nodes)));
  return found ? before : undefined;
}
