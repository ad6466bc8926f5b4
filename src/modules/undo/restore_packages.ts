import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { aptDifference } from '../../facts/apt.ts';
import { exec } from '../../core/action.ts';
import type { Module } from '../../core/module.ts';
import { aptGet } from '../lib/packages.ts';
import { hostPath } from '../lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    copy: hostPath('Copy of the status file of dpkg from before the step.'),
    checksum: { type: 'string', description: 'SHA-256 of that file when the step was planned.' },
  },
  required: ['copy', 'checksum'],
  additionalProperties: false,
} as const satisfies JSONSchema;

const LOCK_TIMEOUT_SECONDS = 600;

export const restore_packages: Module<FromSchema<typeof schema>> = {
  name: 'restore_packages',
  summary: 'Restore the installed packages and their versions. Used by automatic undo.',
  args: schema,
  effect: 'restores',

  async plan({ copy, checksum }, { host }) {
    const words = await host.fact(aptDifference, copy, checksum);
    if (words.length === 0) return { actions: [] };
    const extra = ['--allow-downgrades', '--allow-change-held-packages', '--purge'];
    return {
      actions: [
        // An interrupted step may have left packages unpacked but not configured.
        {
          ...exec('dpkg', '--configure', '-a', '--force-confold'),
          env: { DEBIAN_FRONTEND: 'noninteractive' },
        },
        aptGet(LOCK_TIMEOUT_SECONDS, ...extra, 'install', '--', ...words),
      ],
    };
  },
};
