import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../../core/action.ts';
import type { Module } from '../../core/module.ts';
import { pathAttributes } from '../../facts/file.ts';
import { onAll } from '../lib/tree.ts';

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'Directory that contains the paths.' },
    found: {
      type: 'object',
      additionalProperties: { type: 'array', items: { type: 'string' } },
      description: 'Paths by the mode, user ID and group ID that they had before the step.',
    },
  },
  required: ['name', 'found'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const restore_attributes: Module<FromSchema<typeof schema>> = {
  name: 'restore_attributes',
  summary: 'Restore mode and owner of many paths. Used by automatic undo.',
  args: schema,
  effect: 'restores',

  async plan({ found }, { host }) {
    const paths = Object.values(found).flat();
    const now = new Map(
      (await host.fact(pathAttributes, JSON.stringify(paths))).map((one) => [one.path, one]),
    );
    const actions: Action[] = [];
    for (const [attributes, its] of Object.entries(found)) {
      const [mode = '', uid = '', gid = ''] = attributes.split(' ');
      // Paths that no longer exist are skipped.
      const there = its.flatMap((path) => now.get(path) ?? []);
      const otherOwner = there.filter((one) => String(one.uid) !== uid || String(one.gid) !== gid);
      // chown clears the set-ID bits, so these paths need chmod, too.
      const other = there.filter(
        (one) => one.type !== 'link' && (one.mode !== mode || otherOwner.includes(one)),
      );
      const below = (list: typeof there) => list.map(({ path }) => ({ path: path.slice(1) }));
      if (otherOwner.length > 0)
        actions.push(onAll('/', below(otherOwner), 'chown', '-h', `${uid}:${gid}`));
      if (other.length > 0) actions.push(onAll('/', below(other), 'chmod', `0${mode}`));
    }
    return { actions };
  },
};
