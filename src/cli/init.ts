import type { World } from './world.ts';
export function initCommand(_world: World, _argv: string[]): number { return 1; }
