import type { Module } from '../core/module.ts';
import { serviceList } from '../facts/systemd.ts';

export const service_facts: Module = {
  name: 'service_facts',
  summary: 'List the systemd services of the host, by name.',
  args: { type: 'object', properties: {}, additionalProperties: false },
  effect: 'reads',

  async plan(_args, { host }) {
    const services = await host.fact(serviceList);
    return { actions: [], result: { services: { ...services } } };
  },
};
