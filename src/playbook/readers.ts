import type { Readers } from './reading.ts';
import { loadNodes } from './nodes.ts';
import { loadRole } from './roles.ts';
import { loadTask } from './tasks.ts';

/** Each reader gets the others from here, so that their files need not import each other. */
export const readers: Readers = { nodes: loadNodes, task: loadTask, role: loadRole };
