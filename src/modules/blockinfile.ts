import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import { TaskError } from '../core/errors.ts';
import type { Module } from '../core/module.ts';
import {
  insertAt,
  insertProperties,
  latin1,
  linesOf,
  planEdit,
  textFileProperties,
  textOf,
} from './lib/text.ts';

const schema = {
  type: 'object',
  properties: {
    ...textFileProperties,
    ...insertProperties,
    block: {
      type: 'string',
      description: 'Lines between the markers. An empty block removes lines and markers.',
    },
    marker: {
      type: 'string',
      pattern: '\\{mark\\}',
      description:
        'Line before and after the block. Default: "# {mark} ANSIBLE MANAGED BLOCK", which also finds blocks that Ansible wrote.',
    },
    marker_begin: {
      type: 'string',
      description: 'Value of {mark} before the block. Default: BEGIN.',
    },
    marker_end: { type: 'string', description: 'Value of {mark} after the block. Default: END.' },
  },
  required: ['path'],
  additionalProperties: false,
} as const satisfies JSONSchema;

type Args = FromSchema<typeof schema>;

export const blockinfile: Module<Args> = {
  name: 'blockinfile',
  summary: 'Insert, update or remove a block of lines between two markers in a text file.',
  args: schema,
  effect: 'restores',

  plan: (args, { host }) =>
    planEdit({ ...args, absentIsFine: isAbsent(args) }, host, (text) => editBlock(text, args)),
};

function isAbsent({ state, block = '' }: Args): boolean {
  return state === 'absent' || block === '';
}

function editBlock(text: string, args: Args): string {
  const { marker = '# {mark} ANSIBLE MANAGED BLOCK', block = '' } = args;
  const begin = latin1(marker.replaceAll('{mark}', args.marker_begin ?? 'BEGIN'));
  const end = latin1(marker.replaceAll('{mark}', args.marker_end ?? 'END'));
  if (begin === end) throw new TaskError('The markers before and after the block are the same.');
  const lines = linesOf(text);
  const from = lines.indexOf(begin);
  const to = lines.indexOf(end, from + 1);
  if (from !== -1 && to === -1) {
    throw new TaskError(
      `The block in "${args.path}" begins in line ${String(from + 1)} but has no end marker.`,
      {
        hint: `Add the line "${end}" after the block, or remove the marker before it.`,
      },
    );
  }
  const wanted = isAbsent(args) ? [] : [begin, ...linesOf(latin1(block)), end];
  if (from === -1 && wanted.length === 0) return text;
  if (from === -1) lines.splice(insertAt(lines, args), 0, ...wanted);
  else lines.splice(from, to - from + 1, ...wanted);
  return textOf(lines);
}
