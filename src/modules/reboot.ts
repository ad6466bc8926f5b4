import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { bootId } from '../facts/boot.ts';

const schema = {
  type: 'object',
  properties: {
    reboot_timeout: {
      type: 'integer',
      minimum: 1,
      description: 'Seconds until the host must be up again. Default: 600.',
    },
    reboot_command: {
      type: 'string',
      minLength: 1,
      description: 'Shell text that restarts the host. Default: systemctl reboot, or reboot.',
    },
    test_command: {
      type: 'string',
      minLength: 1,
      description:
        'Shell text that must succeed once the host is up. Default: systemd has started what it should.',
    },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

const RESTART =
  'if command -v systemctl >/dev/null; then exec systemctl reboot; else exec reboot; fi';
const STARTED =
  'case $(systemctl is-system-running 2>/dev/null) in initializing|starting) exit 1;; esac';

export const reboot: Module<FromSchema<typeof schema>> = {
  name: 'reboot',
  summary: 'Restart the host and wait until it is up again.',
  schema,

  async plan(
    { reboot_timeout, reboot_command: restart = RESTART, test_command: test = STARTED },
    host,
  ) {
    const boot = await host.fact(bootId);
    return {
      actions: [
        {
          kind: 'reboot',
          argv: ['/bin/sh', '-c', restart],
          boot,
          test: ['/bin/sh', '-c', test],
          timeoutSeconds: reboot_timeout ?? 600,
        },
      ],
    };
  },

  // The state of a host is on its disk; what was running is started by its units.
  undoFor: () => 'none',

  finish: (result) => ({
    ...result,
    rebooted: result['rc'] === 0,
    elapsed: Number(result['stdout']),
  }),
};
