import type { Module } from '../core/module.ts';
import { packageList } from '../facts/lists.ts';

export const package_facts: Module = {
  name: 'package_facts',
  summary: 'List the installed packages of a host with dpkg, rpm or apk, by name.',
  args: { type: 'object', properties: {}, additionalProperties: false },
  effect: 'reads',

  async plan(_args, { host }) {
    return { actions: [], result: { packages: { ...(await host.fact(packageList)) } } };
  },
};
