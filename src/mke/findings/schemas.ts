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
      'error: the upgrade or a workload will fail. warning: it can fail. info: no failure expected.',
  },
  blocking: {
    type: 'boolean',
    description: 'Whether the upgrade is refused until the finding is resolved or acknowledged.',
  },
  object: {
    type: 'string',
    minLength: 1,
    description: 'Affected object. The same in every run.',
  },
  evidence: { type: 'string', description: 'What the check found.' },
  remedy: {
    type: 'string',
    description:
      'Command that resolves the finding or shows details, or a sentence if there is no such command.',
  },
} as const;
const findingFields = ['id', 'severity', 'blocking', 'object', 'evidence', 'remedy'] as const;

/** A finding in the result of a module. */
export const findingSchema = {
  type: 'object',
  properties: findingProperties,
  required: findingFields,
  additionalProperties: false,
} as const satisfies JSONSchema;

/** An entry in the file for `--acknowledge`. */
export const acknowledgementSchema = {
  type: 'object',
  properties: {
    id: { ...id, description: 'Name of the check, as shown in the report.' },
    object: {
      type: 'string',
      minLength: 1,
      description: 'Affected object, exactly as shown in the report.',
    },
    reason: { type: 'string', pattern: '\\S', description: 'Why the finding is acceptable.' },
    until: { ...day, description: 'Last day on which the entry applies, such as "2027-01-31".' },
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
    version: { const: 1, description: 'Version of this format.' },
    date: { ...day, description: 'Date of the checks, by the clock of the controller.' },
    checks: {
      type: 'array',
      items: { type: 'string' },
      description:
        'All checks that should have run. A check that could not run has a finding "check_not_made".',
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
            description: 'The operator accepted the finding, so it does not block.',
          },
        },
        required: findingFields,
        additionalProperties: false,
      },
      description: 'Sorted by severity, id and object.',
    },
    notes: {
      type: 'array',
      items: { type: 'string' },
      description: 'Notes on entries in the file for --acknowledge that have no effect.',
    },
  },
  required: ['version', 'date', 'checks', 'counts', 'findings', 'notes'],
  additionalProperties: false,
} as const satisfies JSONSchema;

const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** JSON Schemas for editors and programs, by file name in schemas/. */
export const findingSchemas: Record<string, JsonSchema> = {
  'acknowledge.schema.json': {
    $schema: DRAFT,
    title: 'Acknowledged findings of the pre-upgrade checks (--acknowledge FILE)',
    type: 'array',
    items: acknowledgementSchema,
  },
  'preflight.schema.json': {
    $schema: DRAFT,
    title: 'Findings of the pre-upgrade checks (preflight.json)',
    ...reportSchema,
  },
};
