import type { Text } from '../core/value.ts';

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

/**
 * Privilege escalation and login user of a task: as written in the playbook (`Become<Text>`), or
 * rendered.
 */
export interface Become<T extends Text = string> {
  enabled: boolean;
  user: T;
  method: 'sudo' | 'su' | 'doas';
  /** Connection settings for hosts whose inventory does not set them. */
  login?: Login<T> | undefined;
}

export interface Login<T extends Text = string> {
  transport?: 'ssh' | 'openssh' | 'local';
  user?: T;
  port?: number | Exclude<T, string>;
}
