import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { exec, type Action } from '../core/action.ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { kernelModule } from '../facts/kernel.ts';
import { fileState } from '../facts/file.ts';
import { inOrder, planFile, undoOfPath } from './lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    name: {
      type: 'string',
      pattern: '^[A-Za-z0-9_-]+$',
      description: 'Name of the kernel module.',
    },
    state: { enum: ['present', 'absent'], description: 'Default: present.' },
    params: { type: 'string', description: 'Parameters to load the module with.' },
    persistent: {
      enum: ['disabled', 'present', 'absent'],
      description:
        'Whether a file in /etc/modules-load.d loads the module at boot. Default: disabled, which leaves the file unchanged.',
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

const fileOf = (name: string): string => `/etc/modules-load.d/${name}.conf`;

export const modprobe: Module<FromSchema<typeof schema>> = {
  name: 'modprobe',
  summary: 'Load or unload a kernel module.',
  args: schema,
  effect: 'restores',

  async plan({ name, state = 'present', params = '', persistent = 'disabled' }, { host }) {
    const found = await host.fact(kernelModule, name);
    const actions: Action[] = [];
    if (state === 'present' && found === 'absent')
      actions.push(exec('modprobe', name, ...params.split(/\s+/).filter((word) => word !== '')));
    if (state === 'absent' && found === 'builtin')
      throw new TaskError(
        `"${name}" is built into the kernel of "${host.name}" and cannot be unloaded.`,
      );
    if (state === 'absent' && found === 'loaded') actions.push(exec('modprobe', '-r', name));
    const before = found === 'loaded' ? 'present' : 'absent';
    const back =
      found === 'builtin' ? undefined : { module: 'modprobe', args: { name, state: before } };
    const path = fileOf(name);
    if (persistent === 'present') {
      const plan = await planFile({ path, content: Buffer.from(`${name}\n`) }, host);
      return {
        ...plan,
        actions: [...actions, ...plan.actions],
        undo: inOrder(back, plan.undo),
      };
    }
    const file = persistent === 'absent' ? await host.fact(fileState, path) : undefined;
    if (file && file.type !== 'absent')
      return {
        actions: [...actions, { kind: 'remove', path }],
        undo: inOrder(back, undoOfPath(path, file, host)),
      };
    return { actions, result: { name, state: found }, undo: inOrder(back) };
  },
};
