import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import { fileSystems, type FileSystem } from '../facts/disk.ts';

const schema = {
  type: 'object',
  properties: {
    needs: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        properties: {
          path: {
            type: 'string',
            pattern: '^/',
            description: 'Path where the data will be written. It need not exist yet.',
          },
          mib: { type: 'number', minimum: 0, description: 'Space in MiB.' },
          inodes: { type: 'integer', minimum: 0, description: 'Number of files. Default: 0.' },
          for: { type: 'string', minLength: 1, description: 'Purpose, for the error message.' },
        },
        required: ['path', 'mib', 'for'],
        additionalProperties: false,
      },
      description: 'Space that planned data needs. Needs on the same file system are added up.',
    },
  },
  required: ['needs'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Need = FromSchema<typeof schema>['needs'][number];

const MIB = 2 ** 20;

export const disk_space: Module<FromSchema<typeof schema>> = {
  name: 'disk_space',
  summary: 'Check that file systems have enough free space for planned data.',
  args: schema,
  effect: 'reads',

  async plan({ needs }, { host }) {
    const found = await host.fact(fileSystems, ...needs.map(({ path }) => path));
    const shares = new Map<string, { on: FileSystem; needs: Need[] }>();
    for (const [index, on] of found.entries()) {
      const need = needs[index];
      if (need === undefined) continue;
      const share = shares.get(on.device) ?? { on, needs: [] };
      share.needs.push(need);
      shares.set(on.device, share);
    }
    const problems = [...shares.values()].flatMap((share) => shortages(share.on, share.needs));
    if (problems.length > 0)
      throw new TaskError(problems.join(' '), {
        hint: 'Free some space, or enlarge the file system.',
      });
    return {
      actions: [],
      result: {
        filesystems: [...shares.values()].map(({ on, needs: own }) => ({
          path: on.place,
          free_mib: Math.floor(on.free / MIB),
          needed_mib: sum(own.map(({ mib }) => mib)),
        })),
      },
    };
  },
};

function sum(numbers: readonly number[]): number {
  return Math.ceil(numbers.reduce((total, one) => total + one, 0));
}

function shortages({ place, free, freeInodes }: FileSystem, needs: readonly Need[]): string[] {
  const lacking = (
    what: string,
    has: number | undefined,
    wanted: readonly { count: number; need: Need }[],
  ): string[] => {
    const total = sum(wanted.map(({ count }) => count));
    if (has === undefined || has >= total) return [];
    const parts = wanted
      .filter(({ count }) => count > 0)
      .map(({ count, need }) => `${String(Math.ceil(count))} for ${need.for} in ${need.path}`);
    return [
      `The file system at ${place} has ${String(has)} ${what} free, but ${String(total)} are needed: ${parts.join(', ')}.`,
    ];
  };
  return [
    ...lacking(
      'MiB',
      Math.floor(free / MIB),
      needs.map((need) => ({ count: need.mib, need })),
    ),
    ...lacking(
      'inodes',
      freeInodes,
      needs.map((need) => ({ count: need.inodes ?? 0, need })),
    ),
  ];
}
