import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { exec, type Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { kernelParameter } from '../facts/kernel.ts';
import { escapePattern } from '../util/text.ts';
import { inOrder } from './lib/file-plan.ts';
import { linesOf, planEdit, textOf } from './lib/text.ts';

const schema = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[A-Za-z0-9_./-]+$',
      description: 'Name of the kernel parameter, with dots.',
    },
    value: {
      type: ['string', 'integer'],
      description: 'Value of the parameter. Not needed with "state: absent".',
    },
    state: {
      enum: ['present', 'absent'],
      description:
        'Whether the file sets the parameter. "absent" does not change the running kernel. Default: present.',
    },
    sysctl_file: {
      type: 'string',
      pattern: '^/',
      description: 'File that sets the parameter at boot. Default: /etc/sysctl.d/99-runner.conf.',
    },
    sysctl_set: {
      type: 'boolean',
      description: 'Set the parameter in the running kernel, too. Default: true.',
    },
    persist: {
      type: 'boolean',
      description: 'Write the parameter to the file. Default: true.',
    },
    ignoreerrors: {
      type: 'boolean',
      description: 'Do not fail if the kernel has no such parameter. Default: false.',
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

const FILE = '/etc/sysctl.d/99-runner.conf';

export const sysctl: Module<FromSchema<typeof schema>> = {
  name: 'sysctl',
  summary: 'Set a kernel parameter, now and at boot.',
  args: schema,
  effect: 'restores',

  async plan(args, { host }) {
    const { name, state = 'present', sysctl_file: path = FILE, persist = true } = args;
    const value =
      args.value === undefined ? undefined : String(args.value).trim().replaceAll(/\s+/g, ' ');
    if (state === 'present' && value === undefined)
      throw new TaskError('"state: present" needs "value".');
    const now = await host.fact(kernelParameter, name);
    const running: Action[] = [];
    const back =
      now === undefined
        ? undefined
        : { module: 'sysctl', args: { name, value: now, persist: false } };
    if (state === 'present' && value !== undefined && args.sysctl_set !== false && now !== value) {
      if (now === undefined && args.ignoreerrors !== true) {
        throw new TaskError(`The kernel of "${host.name}" has no parameter "${name}".`, {
          hint: 'If a kernel module provides it, load the module first with "modprobe".',
        });
      }
      if (now !== undefined) running.push(exec('sysctl', '-q', '-w', `${name}=${value}`));
    }
    if (!persist) return { actions: running, result: { value: now ?? '' }, undo: inOrder(back) };
    const pattern = new RegExp(`^\\s*-?${escapePattern(name)}\\s*=`);
    const plan = await planEdit(
      { path, create: true, absentIsFine: state === 'absent' },
      host,
      (text) => {
        const lines = linesOf(text);
        const others = lines.filter((line) => !pattern.test(line));
        const wanted = `${name} = ${value ?? ''}`;
        if (state === 'present' && lines.filter((line) => pattern.test(line)).join() === wanted)
          return text;
        const kept = state === 'present' ? [...others, wanted] : others;
        if (kept.length === lines.length && state === 'absent') return text;
        return textOf(kept);
      },
    );
    return {
      ...plan,
      actions: [...plan.actions, ...running],
      undo: inOrder(back, plan.undo),
    };
  },
};
