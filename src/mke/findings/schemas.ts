import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { JsonSchema } from '../../core/module.ts';

const severities = ['error', 'warning', 'info'] as const;
const id = {
  type: 'string',
  pattern: '^[a-z][a-z0-9_]*$',
  description: 'Name of the check: lower case, digits and underscores.',
} as const;
const day = { type: 'string', format: 'date' } as const;

const findingProperties = {
  id,
  severity: {
    enum: severities,
    description:
      'error: the upgrade or a workload will fail. warning: it may. info: worth knowing.',
  },
  blocking: {
    type: 'boolean',
    description: 'The upgrade does not begin while it is neither gone nor acknowledged.',
  },
  object: {
    type: 'string',
    minLength: 1,
    description: 'What it was found on. The same in every run.',
  },
  evidence: { type: 'string', description: 'What was seen there.' },
  remedy: { type: 'string', description: 'A command, or a sentence where there is none.' },
} as const;
const findingFields = ['id', 'severity', 'blocking', 'object', 'evidence', 'remedy'] as const;

/** One finding, as modules return it. */
export const findingSchema = {
  type: 'object',
  properties: findingProperties,
  required: findingFields,
  additionalProperties: false,
} as const satisfies JSONSchema;

/** An entry of the file for `--acknowledge`. */
export const acknowledgementSchema = {
  type: 'object',
  properties: {
    id: { ...id, description: 'Name of the check, as the report shows it.' },
    object: {
      type: 'string',
      minLength: 1,
      description: 'The object, exactly as the report shows it.',
    },
    reason: { type: 'string', pattern: '\\S', description: 'Why the finding may stay.' },
    until: { ...day, description: 'Last day on which the entry counts, such as "2027-01-31".' },
  },
  required: ['id', 'object', 'reason', 'until'],
  additionalProperties: false,
} as const satisfies JSONSchema;

export type Acknowledgement = FromSchema<typeof acknowledgementSchema>;

const count = { type: 'integer', minimum: 0 } as const;

/** preflight.json. */
export const reportSchema = {
  type: 'object',
  properties: {
    version: { const: 1, description: 'Of this format.' },
    date: { ...day, description: 'Day of the checks, on the machine that ran them.' },
    checks: {
      type: 'array',
      items: { type: 'string' },
      description:
        'Checks that were to be made. One that could not be has a finding "check_not_made".',
    },
    counts: {
      type: 'object',
      properties: {
        error: count,
        warning: count,
        info: count,
        blocking: { ...count, description: 'Findings that block the upgrade.' },
        acknowledged: count,
      },
      required: ['error', 'warning', 'info', 'blocking', 'acknowledged'],
      additionalProperties: false,
    },
    findings: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          ...findingProperties,
          acknowledged: {
            type: 'object',
            properties: { reason: { type: 'string' }, until: day },
            required: ['reason', 'until'],
            additionalProperties: false,
            description: 'It does not block, since the operator has accepted it.',
          },
        },
        required: findingFields,
        additionalProperties: false,
      },
      description: 'By severity, then id, then object.',
    },
    notes: {
      type: 'array',
      items: { type: 'string' },
      description: 'About entries of the file for --acknowledge that have no effect.',
    },
  },
  required: ['version', 'date', 'checks', 'counts', 'findings', 'notes'],
  additionalProperties: false,
} as const satisfies JSONSchema;

const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** For editors and programs, by the name of the file in schemas/. */
export const findingSchemas: Record<string, JsonSchema> = {
  'acknowledge.schema.json': {
    $schema: DRAFT,
    title: 'Findings of the pre-upgrade checks that are acknowledged: --acknowledge FILE',
    type: 'array',
    items: acknowledgementSchema,
  },
  'preflight.schema.json': {
    $schema: DRAFT,
    title: 'Findings of the pre-upgrade checks: preflight.json',
    ...reportSchema,
  },
};
