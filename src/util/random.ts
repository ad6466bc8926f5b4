import { randomBytes } from 'node:crypto';
import type { Random } from '../core/ports.ts';

/** The random numbers of this machine. */
export const systemRandom: Random = { bytes: (count) => randomBytes(count) };
