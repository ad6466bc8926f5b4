import { tasksOf, type Node, type Play } from '../language/document.ts';
import type { RunSettings } from './settings.ts';

/** The part of a playbook that `--tags`, `--skip-tags` and `--from` select. */
export class Selection {
  readonly #settings: Pick<RunSettings, 'tags' | 'skipTags'>;
  readonly #leftOut: ReadonlySet<string>;

  constructor(settings: Pick<RunSettings, 'tags' | 'skipTags' | 'leftOut'>) {
    this.#settings = settings;
    this.#leftOut = new Set(settings.leftOut);
  }

  /** @param brought the node is in the rescue or always section of a block with a selected task */
  has(node: Node, brought = false): boolean {
    if (this.#leftOut.has(stepIdOf(node))) return false;
    switch (node.kind) {
      case 'task':
      case 'commit':
        return this.#selects(node.tags, brought);
      case 'meta':
        return this.#selects(node.task.tags, brought);
      case 'include':
        // An include runs if it is selected, or any of its known content.
        return this.#selects(node.task.tags, brought) || this.hasSome(node.preview.nodes, brought);
      case 'block':
      case 'flush':
        return true;
    }
  }

  /** Whether one of the tasks is selected, at any depth. */
  hasSome(nodes: readonly Node[], brought = false): boolean {
    return [...tasksOf(nodes)].some(({ tags }) => this.#selects(tags, brought));
  }

  /** Whether `--tags`, `--skip-tags` or `--from` leave out the whole play. */
  leavesOut({ sections }: Pick<Play, 'sections'>): boolean {
    const { tags, skipTags } = this.#settings;
    if (tags.length + skipTags.length + this.#leftOut.size === 0) return false;
    return !sections.some(({ nodes }) => nodes.some((node) => this.#wants(node)));
  }

  /** Like `has`, except that the content of a block decides. */
  #wants(node: Node): boolean {
    if (node.kind !== 'block') return node.kind !== 'flush' && this.has(node);
    return [node.block, node.rescue, node.always].some((nodes) =>
      nodes.some((one) => this.#wants(one)),
    );
  }

  #selects(tags: readonly string[], brought: boolean): boolean {
    const { tags: wanted, skipTags } = this.#settings;
    if (skipTags.some((tag) => carries(tags, tag))) return false;
    if (tags.includes('never') && !tags.some((tag) => wanted.includes(tag))) return false;
    if (brought || wanted.length === 0 || tags.includes('always')) return true;
    return wanted.some((tag) => carries(tags, tag));
  }
}

/**
 * The id that `--from` uses for a step. Blocks and flushes have none: they are never left out
 * themselves.
 */
function stepIdOf(node: Node): string {
  switch (node.kind) {
    case 'task':
    case 'commit':
      return node.id;
    case 'meta':
    case 'include':
      return node.task.id;
    case 'block':
    case 'flush':
      return '';
  }
}

/** Whether tags match a requested tag: one of their names, or `all`, `tagged` or `untagged`. */
function carries(tags: readonly string[], wanted: string): boolean {
  if (wanted === 'all') return true;
  const own = tags.filter((tag) => tag !== 'always');
  if (wanted === 'tagged') return own.length > 0;
  return wanted === 'untagged' ? own.length === 0 : tags.includes(wanted);
}
