import type { JSONSchema } from 'json-schema-to-ts';
import { conditionsArgument, type Module } from '../../core/module.ts';
import { toJson } from '../../core/json.ts';
import { StatedError } from '../../core/errors.ts';
import type { Finding, Severity } from '../findings/finding.ts';
import { findingSchema } from '../findings/schemas.ts';

const { id, severity, evidence, remedy } = findingSchema.properties;

const schema = {
  type: 'object',
  properties: {
    that: {
      ...conditionsArgument,
      description:
        'Conditions, as in assert. If all are true, no finding is recorded. Default: a finding is recorded.',
    },
    id,
    severity: { ...severity, description: `${severity.description} Default: error.` },
    blocking: {
      type: 'boolean',
      description:
        'Whether the finding prevents the upgrade. Default: true if the severity is error.',
    },
    object: {
      type: 'string',
      minLength: 1,
      description:
        'Affected object. It must be the same in every run, because acknowledgements refer to it. Default: host NAME.',
    },
    evidence,
    remedy,
    findings: {
      type: 'array',
      items: findingSchema,
      description: 'Findings returned by a module, instead of the arguments above.',
    },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

interface Args {
  /** The engine evaluates the conditions. A false condition is passed as its text. */
  that?: (string | boolean)[];
  id?: string;
  severity?: Severity;
  blocking?: boolean;
  object?: string;
  evidence?: string;
  remedy?: string;
  findings?: Finding[];
}

export const finding: Module<Args> = {
  name: 'finding',
  summary: 'Record a finding of a pre-upgrade check unless conditions hold. The host continues.',
  args: schema,
  effect: 'reads',

  plan(args, { host }) {
    const made = args.findings ?? (holds(args) ? [] : [findingOf(args, host.name)]);
    const findings = made.map(toJson);
    return {
      actions: [],
      result: { findings },
      run:
        findings.length > 0
          ? [{ kind: 'append-facts', lists: { preflight_findings: findings } }]
          : [],
    };
  },
};

function holds({ that }: Args): boolean {
  return that?.every((one) => one === true) === true;
}

function findingOf(args: Args, host: string): Finding {
  const { id: name, evidence: seen, remedy: way, severity: rank = 'error' } = args;
  if (name === undefined || seen === undefined || way === undefined)
    throw new StatedError('A finding needs "id", "evidence" and "remedy".');
  return {
    id: name,
    severity: rank,
    blocking: args.blocking ?? rank === 'error',
    object: args.object ?? `host ${host}`,
    evidence: seen.trim(),
    remedy: way.trim(),
  };
}
