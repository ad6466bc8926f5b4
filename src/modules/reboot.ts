import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Module } from '../core/module.ts';
import { bootId } from '../facts/boot.ts';
import { quote } from '../util/shell.ts';

const schema = {
  type: 'object',
  properties: {
    reboot_timeout: {
      type: 'integer',
      minimum: 1,
      description: 'Seconds until the host must be up again. Default: 600.',
    },
    pre_reboot_delay: {
      type: 'number',
      minimum: 0,
      description: 'Seconds before the host is told to restart. Default: 0.',
    },
    post_reboot_delay: {
      type: 'number',
      minimum: 0,
      description: 'Seconds before the first look whether it is up. Default: 0.',
    },
    msg: {
      type: 'string',
      minLength: 1,
      description: 'What those who are logged in are told, before the delay. Default: nothing.',
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
  args: schema,
  // The state of a host is on its disk; what was running is started by its units.
  effect: 'passes',

  async plan({ reboot_timeout, reboot_command, test_command: test = STARTED, ...args }, { host }) {
    const boot = await host.fact(bootId);
    const { msg, pre_reboot_delay: before = 0, post_reboot_delay: behind = 0 } = args;
    const restart = [
      // Who is told is no reason not to restart.
      ...(msg === undefined
        ? []
        : [`{ ! command -v wall || printf '%s\\n' ${quote(msg)} | wall; } >/dev/null 2>&1 || :`]),
      ...(before > 0 ? [`sleep ${String(before)}`] : []),
      reboot_command ?? RESTART,
    ].join('\n');
    return {
      actions: [
        {
          kind: 'reboot',
          argv: ['/bin/sh', '-c', restart],
          boot,
          test: ['/bin/sh', '-c', test],
          timeoutSeconds: (reboot_timeout ?? 600) + before,
          delaySeconds: behind,
        },
      ],
    };
  },

  conclude: ([answer]) => ({
    result: { rebooted: answer?.code === 0, elapsed: Number(answer?.stdout.trim()) },
  }),
};
