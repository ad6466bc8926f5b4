import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../../core/module.ts';
import { upgradeSummary, type SummaryFacts } from '../summary.ts';

const schema = {
  type: 'object',
  properties: {
    unconverted: {
      type: 'array',
      items: { type: 'object' },
      description: 'Settings that were not converted, from the result of mke4_config.',
    },
    later: {
      type: 'array',
      items: { type: 'object' },
      description:
        'Settings that take effect when the MKE 4 configuration is applied, from the result of mke4_config.',
    },
    metallb_pools: {
      type: 'array',
      items: { type: 'object' },
      description: 'MetalLB address pools, from the result of mke4_config.',
    },
    users: { type: 'integer', description: 'Number of users in MKE 3.' },
    orgs: { type: 'integer', description: 'Number of organizations in MKE 3.' },
    teams: { type: 'integer', description: 'Number of teams in MKE 3.' },
    nodes: {
      type: 'array',
      items: { type: 'string' },
      description: 'Sentences about the nodes. Default: none.',
    },
    mke3_version: { type: 'string', description: 'MKE 3 version before the upgrade.' },
    config: { type: 'string', description: 'MKE 4 configuration to print after the summary.' },
  },
  required: ['unconverted', 'metallb_pools', 'users', 'orgs', 'teams', 'mke3_version'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const mke_upgrade_summary: Module<FromSchema<typeof schema>> = {
  name: 'mke_upgrade_summary',
  summary: 'Print the summary of an upgrade to MKE 4 and the remaining manual steps.',
  args: schema,
  effect: 'reads',

  plan({
    unconverted,
    later = [],
    metallb_pools: metallbPools,
    users,
    orgs,
    teams,
    mke3_version: mke3Version,
    nodes,
    config,
  }) {
    // The schema does not describe the objects in these lists. mke4_config has written them.
    const reported: unknown = {
      unconverted,
      later,
      metallbPools,
      users,
      orgs,
      teams,
      mke3Version,
      nodes,
    };
    const text = upgradeSummary(reported as SummaryFacts);
    return {
      actions: [],
      result: { text },
      run: [{ kind: 'show', title: 'Upgrade Summary', text: config ? `${text}\n${config}` : text }],
    };
  },
};
