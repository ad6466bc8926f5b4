import type { JSONSchema } from 'json-schema-to-ts';
import { toJson } from '../../core/json.ts';
import type { Module, RunEffect } from '../../core/module.ts';
import type { Finding } from '../findings/finding.ts';
import { findingsJson } from '../findings/json.ts';
import { findingsMarkdown } from '../findings/markdown.ts';
import { blocks, isValid, preflightReport, type PreflightReport } from '../findings/report.ts';
import { acknowledgementSchema, findingSchema, type Acknowledgement } from '../findings/schemas.ts';
import { plural } from '../../util/text.ts';
import { findingsTable } from '../findings/table.ts';

const forms = ['table', 'json', 'markdown'] as const;
const names = { type: 'array', items: { type: 'string' } } as const;

const schema = {
  type: 'object',
  properties: {
    findings: {
      type: 'array',
      items: { type: 'array', items: findingSchema },
      description: 'Lists of findings, such as those of each host. The same finding counts once.',
    },
    checks: { ...names, description: 'Names of the checks that were to be made.' },
    acknowledged: {
      type: 'array',
      items: acknowledgementSchema,
      description: 'Findings that do not block. Default: none.',
    },
    later: {
      ...names,
      description: 'Checks that are made after this step, whose entries may fit no finding yet.',
    },
    today: {
      type: 'string',
      format: 'date',
      description: 'The day that "until" is compared with.',
    },
    form: { enum: forms, description: 'How it is shown. Default: table.' },
    output_dir: {
      type: 'string',
      description:
        'Directory on the controller for preChecks.txt, preflight.json and preflight.md. Default: none.',
    },
  },
  required: ['findings', 'checks', 'today'],
  additionalProperties: false,
} as const satisfies JSONSchema;

interface Args {
  findings: Finding[][];
  checks: string[];
  acknowledged?: Acknowledgement[];
  later?: string[];
  today: string;
  form?: (typeof forms)[number];
  output_dir?: string;
}

const texts = { table: findingsTable, json: findingsJson, markdown: findingsMarkdown };
const files = { table: 'preChecks.txt', json: 'preflight.json', markdown: 'preflight.md' };

export const preflight_report: Module<Args> = {
  name: 'preflight_report',
  summary: 'Show the findings of the pre-upgrade checks, and which of them are acknowledged.',
  args: schema,
  effect: 'reads',

  plan({
    findings,
    checks,
    acknowledged = [],
    later = [],
    today,
    form = 'table',
    output_dir: dir = '',
  }) {
    const report = preflightReport({
      findings: findings.flat(),
      checks,
      acknowledged,
      later,
      today,
    });
    const kept = forms.map((one): RunEffect => {
      const content = texts[one](report);
      return { kind: 'keep', path: `${dir}/${files[one]}`, content, masked: true };
    });
    const valid = acknowledged.filter((entry) => isValid(entry, today));
    return {
      actions: [],
      result: {
        ...resultOf(report),
        acknowledged: valid.map(({ id, object }) => ({ id, object })),
      },
      run: [
        { kind: 'show', title: 'Pre-upgrade checks', text: texts[form](report), inCheckMode: true },
        ...(dir === '' ? [] : kept),
      ],
    };
  },
};

function resultOf({ counts, findings }: PreflightReport) {
  const blocking = findings.filter(blocks).map(({ id, object }) => `${id} on ${object}`);
  return { counts, findings: findings.map(toJson), blocking, message: messageOf(blocking) };
}

const NAMED = 5;

function messageOf(blocking: readonly string[]): string {
  if (blocking.length === 0) return 'Nothing blocks the upgrade.';
  const more = blocking.length - NAMED;
  const names = [...blocking.slice(0, NAMED), ...(more > 0 ? [`${String(more)} more`] : [])];
  return `${plural(blocking.length, 'finding')} block${blocking.length === 1 ? 's' : ''} the upgrade: ${names.join('; ')}`;
}
