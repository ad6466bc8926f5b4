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
        'Conditions that must all hold, as in assert: then there is no finding. Default: there is one.',
    },
    id,
    severity: { ...severity, description: `${severity.description} Default: error.` },
    blocking: {
      type: 'boolean',
      description: 'Whether it keeps the upgrade from starting. Default: that of an error.',
    },
    object: {
      type: 'string',
      minLength: 1,
      description:
        'What it was found on, and the same in every run: an acknowledgement names it. Default: host NAME.',
    },
    evidence,
    remedy,
    findings: {
      type: 'array',
      items: findingSchema,
      description: 'Findings that a module returned, in place of the arguments above.',
    },
  },
  additionalProperties: false,
} as const satisfies JSONSchema;

interface Args {
  /** Tested by the engine, which knows the variables: a failed condition arrives as its text. */
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
  summary: 'Note a finding of a pre-upgrade check unless conditions hold. The host goes on.',
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
