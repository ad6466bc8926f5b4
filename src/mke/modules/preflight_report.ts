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
      description:
        'Lists of findings, for example one for each host. Duplicate findings are merged.',
    },
    checks: { ...names, description: 'Names of all checks that should have run.' },
    acknowledged: {
      type: 'array',
      items: acknowledgementSchema,
      description: 'Findings that the operator accepts, which do not block. Default: none.',
    },
    later: {
      ...names,
      description:
        'Checks that run after this step. Acknowledgements for them are not reported as unused.',
    },
    today: {
      type: 'string',
      format: 'date',
      description: 'Date to compare "until" with.',
    },
    form: { enum: forms, description: 'Output format. Default: table.' },
    output_dir: {
      type: 'string',
      description:
        'Directory on the controller to which preChecks.txt, preflight.json and preflight.md are written. Default: none.',
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
  summary: 'Print the report of the pre-upgrade checks and determine which findings block.',
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
