import type { OldModule as Module } from './lib/old-module.ts';
import { service } from './service.ts';

/** The name that Ansible has for it. */
export const systemd_service: Module = {
  ...(service as unknown as Module),
  name: 'systemd_service',
};
