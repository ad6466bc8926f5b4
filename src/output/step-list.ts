import type { Node, Play, PlaybookChange } from '../language/document.ts';

/** IDs of a play and its steps, as used in overlays and `--fail-at`. */
export function listedSteps(play: Play): string[] {
  const lines: string[] = [play.id];
  const visit = (nodes: readonly Node[], depth: number): void => {
    const pad = '  '.repeat(depth);
    for (const node of nodes) {
      if (node.kind === 'flush') continue;
      if (node.kind === 'meta') {
        lines.push(`${pad}${node.task.id}`);
        continue;
      }
      if (node.kind === 'include') {
        const open = node.preview.nodes.length === 0 ? '  # resolved during the run' : '';
        lines.push(`${pad}${node.task.id}${open}`);
        visit(node.preview.nodes, depth + 1);
        continue;
      }
      const marks =
        node.kind === 'task' && node.tags.length > 0 ? `  [${node.tags.join(', ')}]` : '';
      lines.push(`${pad}${node.id}${marks}`);
      if (node.kind === 'block')
        for (const inner of [node.block, node.rescue, node.always]) visit(inner, depth + 1);
      if (node.kind === 'commit') visit(node.gate, depth + 1);
    }
  };
  for (const { nodes } of play.sections) visit(nodes, 1);
  visit(play.handlers, 1);
  return lines;
}

/** Describes one change of an overlay. */
export function describeChange({ action, target, reason, at }: PlaybookChange): string {
  const done = {
    before: 'added before',
    after: 'added after',
    replace: 'replaced',
    disable: 'disabled',
  };
  const where = `${at.file}:${String(at.line)}`;
  return `${done[action]} ${target}${reason === undefined ? '' : ` (${reason})`}, by ${where}`;
}
