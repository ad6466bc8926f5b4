import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../../core/module.ts';
import { upgradeSummary, type SummaryFacts } from '../summary.ts';

const schema = {
  type: 'object',
  properties: {
    unconverted: {
      type: 'array',
      items: { type: 'object' },
      description: 'As mke4_config reported it.',
    },
    later: {
      type: 'array',
      items: { type: 'object' },
      description: 'As mke4_config reported it: settings that wait until MKE 4 is applied.',
    },
    metallb_pools: {
      type: 'array',
      items: { type: 'object' },
      description: 'As mke4_config reported it.',
    },
    users: { type: 'integer', description: 'Users found in MKE 3.' },
    orgs: { type: 'integer', description: 'Organizations found in MKE 3.' },
    teams: { type: 'integer', description: 'Teams found in MKE 3.' },
    nodes: {
      type: 'array',
      items: { type: 'string' },
      description: 'Sentences about the nodes. Default: none.',
    },
    mke3_version: { type: 'string', description: 'Version that was upgraded.' },
    config: { type: 'string', description: 'The new configuration, printed after the summary.' },
  },
  required: ['unconverted', 'metallb_pools', 'users', 'orgs', 'teams', 'mke3_version'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const mke_upgrade_summary: Module<FromSchema<typeof schema>> = {
  name: 'mke_upgrade_summary',
  summary: 'Print what an upgrade to MKE 4 did and left to do.',
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
    // The schema says of lists of objects only that they are such; mke4_config has written them.
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
