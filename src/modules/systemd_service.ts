import type { Module } from '../core/module.ts';
import { service } from './service.ts';

/** The name that Ansible has for it. */
export const systemd_service: Module = { ...service, name: 'systemd_service' };
