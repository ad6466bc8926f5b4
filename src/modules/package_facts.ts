import { packageList } from '../facts/lists.ts';
import type { Module } from '../core/module.ts';

export const package_facts: Module = {
  name: 'package_facts',
  summary: 'List the packages of a host with dpkg, rpm or apk, by name.',
  schema: { type: 'object', properties: {}, additionalProperties: false },
  readOnly: true,

  async plan(_args, host) {
    return { actions: [], result: { packages: { ...(await host.fact(packageList)) } } };
  },
};
