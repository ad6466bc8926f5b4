import type { Limit } from './types.ts';

export const hostOrders = ['inventory', 'reverse_inventory', 'sorted', 'reverse_sorted'] as const;
export type HostOrder = (typeof hostOrders)[number];

export const strategies = ['linear', 'free'] as const;

export const metaActions = [
  'end_host',
  'end_role',
  'end_batch',
  'end_play',
  'clear_facts',
  'reset_connection',
] as const;
export type MetaAction = (typeof metaActions)[number];

export type OnFailure = 'auto' | 'ask' | 'stop';

/** As whom a task works. A user in it may be a template. */
export interface Become {
  enabled: boolean;
  user: string;
  method: 'sudo' | 'su' | 'doas';
  /** How its hosts are reached, as far as the inventory does not say it. */
  login?: Login | undefined;
}

export interface Login {
  transport?: 'ssh' | 'openssh' | 'local';
  user?: string;
  port?: Limit;
}
