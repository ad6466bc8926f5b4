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
    name: { type: 'string', pattern: '^[A-Za-z0-9_-]+$', description: 'Module of the kernel.' },
    state: { enum: ['present', 'absent'], description: 'Default: present.' },
    params: { type: 'string', description: 'Parameters, when it is loaded.' },
    persistent: {
      enum: ['disabled', 'present', 'absent'],
      description:
        'Whether /etc/modules-load.d loads it at boot. Default: disabled, left as it is.',
    },
  },
  required: ['name'],
  additionalProperties: false,
} as const satisfies JSONSchema;

const fileOf = (name: string): string => `/etc/modules-load.d/${name}.conf`;

export const modprobe: Module<FromSchema<typeof schema>> = {
  name: 'modprobe',
  summary: 'Load a module of the kernel, or unload it.',
  args: schema,
  effect: 'restores',

  async plan({ name, state = 'present', params = '', persistent = 'disabled' }, { host }) {
    const found = await host.fact(kernelModule, name);
    const actions: Action[] = [];
    if (state === 'present' && found === 'absent')
      actions.push(exec('modprobe', name, ...params.split(/\s+/).filter((word) => word !== '')));
    if (state === 'absent' && found === 'builtin')
      throw new TaskError(`"${name}" is built into the kernel of "${host.name}".`);
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
