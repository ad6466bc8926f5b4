import type { Module } from '../core/module.ts';
import { service } from './service.ts';

/** Ansible's name for the module "service". */
export const systemd_service: Module = { ...service, name: 'systemd_service' };
