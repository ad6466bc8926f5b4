import type { Node, Playbook, TaskNode } from '../language/document.ts';

/**
 * A step or commit point with `irreversible`. An automatic rollback does not undo steps before it.
 */
export interface PointOfNoReturn {
  name: string;
  reason: string;
  node: Node;
}

export function pointsOfNoReturn(playbook: Playbook): PointOfNoReturn[] {
  const points: PointOfNoReturn[] = [];
  const visit = (nodes: readonly Node[]): void => {
    for (const node of nodes) {
      if (node.kind === 'commit' && node.confirm)
        points.push({ name: node.name, reason: node.reason ?? '', node });
      if (node.kind === 'task' && node.irreversible !== undefined)
        points.push({ name: node.name, reason: node.irreversible, node });
      if (node.kind === 'block') [node.block, node.rescue, node.always].forEach(visit);
    }
  };
  for (const play of playbook.plays) for (const { nodes } of play.sections) visit(nodes);
  return points;
}

/** The steps before the first point of no return, in the order of the file. */
export function stepsBeforeNoReturn(playbook: Playbook): TaskNode[] {
  const steps: TaskNode[] = [];
  const visit = (nodes: readonly Node[]): boolean => {
    for (const node of nodes) {
      if (node.kind === 'commit' && node.confirm) return true;
      if (node.kind === 'task') {
        if (node.irreversible !== undefined) return true;
        steps.push(node);
      }
      if (node.kind === 'block' && visit(node.block)) return true;
      if (node.kind === 'include') visit(node.preview.nodes);
    }
    return false;
  };
  for (const { sections } of playbook.plays) {
    if (sections.some(({ nodes }) => visit(nodes))) break;
  }
  return steps;
}
