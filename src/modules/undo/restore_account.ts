import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { Action } from '../../core/action.ts';
import { TaskError } from '../../core/errors.ts';
import type { Module } from '../../core/module.ts';
import { fileContent } from '../../facts/file.ts';
import { sha256 } from '../../util/digest.ts';
import { ACCOUNT_NAME } from '../lib/account.ts';
import { hostPath } from '../lib/file-plan.ts';

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', pattern: ACCOUNT_NAME, description: 'Name of the user or group.' },
    files: {
      type: 'array',
      description: 'The account files, each with its copy from before the step.',
      items: {
        type: 'object',
        properties: {
          path: { type: 'string', description: 'Path of the file.' },
          copy: hostPath('Its copy from before the step.'),
          checksum: { type: 'string', description: 'SHA-256 of the file before the step.' },
        },
        required: ['path', 'copy', 'checksum'],
        additionalProperties: false,
      },
    },
  },
  required: ['name', 'files'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export const restore_account: Module<FromSchema<typeof schema>> = {
  name: 'restore_account',
  summary: 'Restore a user or group. Used by automatic undo.',
  args: schema,
  effect: 'restores',

  async plan({ name, files }, { host, controller }) {
    const planned = await Promise.all(
      files.map(async ({ path, copy, checksum }): Promise<Action[]> => {
        const [now, kept] = await Promise.all([
          host.fact(fileContent, path),
          host.fact(fileContent, copy),
        ]);
        if (now && sha256(now) === checksum) return [];
        const before = kept ?? controller.keptCopy(copy);
        if (!before || sha256(before) !== checksum)
          throw new TaskError(`The copy of "${path}" on "${host.name}" is missing or damaged.`, {
            hint: `Restore "${name}" in ${path} by hand, then run the rollback again with --skip CHANGE.`,
          });
        const text = withEntry(now?.toString('utf8') ?? '', before.toString('utf8'), name, path);
        if (text === now?.toString('utf8')) return [];
        return [{ kind: 'write', path, content: text }];
      }),
    );
    return { actions: planned.flat() };
  },
};

/**
 * Restores the lines and group memberships of one name in an account file, and keeps all other changes. Without other
 * changes, the result is exactly the old file.
 */
export function withEntry(now: string, before: string, name: string, path: string): string {
  const memberFields = path.endsWith('group') ? [3] : path.endsWith('gshadow') ? [2, 3] : [];
  const entriesOf = (text: string) => text.split('\n').filter((line) => line !== '');
  const nameOf = (line: string) => line.slice(0, line.indexOf(':'));
  const without = (text: string) =>
    entriesOf(text)
      .filter((line) => nameOf(line) !== name)
      .map((line) => membership(line, memberFields, name, () => false))
      .join('\n');
  if (without(now) === without(before)) return before;
  const old = new Map(entriesOf(before).map((line) => [nameOf(line), line]));
  const own = entriesOf(before).filter((line) => nameOf(line) === name);
  const kept = entriesOf(now)
    .filter((line) => nameOf(line) !== name)
    .map((line) =>
      membership(line, memberFields, name, (field) =>
        (old.get(nameOf(line))?.split(':')[field] ?? '').split(',').includes(name),
      ),
    );
  return [...kept, ...own].map((line) => `${line}\n`).join('');
}

/** A line of a group file with `name` in exactly those member lists for which `belongs` returns true. */
function membership(
  line: string,
  fields: readonly number[],
  name: string,
  belongs: (field: number) => boolean,
): string {
  if (fields.length === 0) return line;
  const parts = line.split(':');
  for (const field of fields) {
    const members = (parts[field] ?? '').split(',').filter((one) => one !== '');
    const others = members.filter((one) => one !== name);
    if (belongs(field) === members.includes(name)) continue;
    if (parts[field] !== undefined)
      parts[field] = (belongs(field) ? [...others, name] : others).join(',');
  }
  return parts.join(':');
}
