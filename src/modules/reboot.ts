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
      description: 'Maximum time in seconds until the host is up again. Default: 600.',
    },
    pre_reboot_delay: {
      type: 'number',
      minimum: 0,
      description: 'Seconds to wait before the reboot command. Default: 0.',
    },
    post_reboot_delay: {
      type: 'number',
      minimum: 0,
      description:
        'Seconds to wait after the reboot command before the first connection attempt. Default: 0.',
    },
    msg: {
      type: 'string',
      minLength: 1,
      description: 'Message to logged-in users, sent with "wall" before the delay. Default: none.',
    },
    reboot_command: {
      type: 'string',
      minLength: 1,
      description:
        'Shell command that reboots the host. Default: "systemctl reboot", or "reboot" without systemctl.',
    },
    test_command: {
      type: 'string',
      minLength: 1,
      description:
        'Shell command that must succeed after the reboot. Default: a check that systemd has finished booting.',
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
  summary: 'Reboot the host and wait until it is up again.',
  args: schema,
  // A reboot needs no undo: files stay, and services are started by their units.
  effect: 'passes',

  async plan({ reboot_timeout, reboot_command, test_command: test = STARTED, ...args }, { host }) {
    const boot = await host.fact(bootId);
    const { msg, pre_reboot_delay: before = 0, post_reboot_delay: after = 0 } = args;
    const restart = [
      // A failed message does not stop the reboot.
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
          delaySeconds: after,
        },
      ],
    };
  },

  conclude: ([answer]) => ({
    result: { rebooted: answer?.code === 0, elapsed: Number(answer?.stdout.trim()) },
  }),
};
