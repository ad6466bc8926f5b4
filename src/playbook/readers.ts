import type { Readers } from './reading.ts';
import { loadNodes } from './nodes.ts';
import { loadRole } from './roles.ts';
import { loadTask } from './tasks.ts';

/** Passed to each reader, to avoid circular imports. */
export const readers: Readers = { nodes: loadNodes, task: loadTask, role: loadRole };
