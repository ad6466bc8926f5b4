import type { Finding, Severity } from './finding.ts';
import type { Acknowledgement } from './schemas.ts';

export interface ReportedFinding extends Finding {
  acknowledged?: { reason: string; until: string };
}

/** Content of the report; its JSON form is preflight.json. */
export interface PreflightReport {
  version: 1;
  date: string;
  checks: string[];
  counts: Record<Severity | 'blocking' | 'acknowledged', number>;
  findings: ReportedFinding[];
  notes: string[];
}

export interface ReportParts {
  findings: readonly Finding[];
  checks: readonly string[];
  acknowledged: readonly Acknowledgement[];
  /** Checks that run after the report. Acknowledgements for them are not reported as unused. */
  later: readonly string[];
  /** Such as "2026-11-27". */
  today: string;
}

const ranks: Record<Severity, number> = { error: 0, warning: 1, info: 2 };

export function preflightReport(parts: ReportParts): PreflightReport {
  const { today, acknowledged } = parts;
  const valid = new Map(
    acknowledged.filter((entry) => isValid(entry, today)).map((entry) => [keyOf(entry), entry]),
  );
  const findings = distinct(parts.findings)
    .map((finding): ReportedFinding => {
      const entry = valid.get(keyOf(finding));
      if (!entry) return finding;
      return { ...finding, acknowledged: { reason: entry.reason, until: entry.until } };
    })
    .sort(compare);
  return {
    version: 1,
    date: today,
    checks: [...new Set(parts.checks)],
    counts: countsOf(findings),
    findings,
    notes: notesOn(parts),
  };
}

/** Whether an acknowledgement applies. It includes its last day. */
export function isValid({ until }: Pick<Acknowledgement, 'until'>, today: string): boolean {
  return until >= today;
}

export function blocks({ blocking, acknowledged }: ReportedFinding): boolean {
  return blocking && acknowledged === undefined;
}

/** Acknowledgements match exactly: a pattern would also accept future findings on other objects. */
function keyOf({ id, object }: { id: string; object: string }): string {
  return `${id}\n${object}`;
}

/** Removes duplicates: a check that runs once for all hosts records its findings on each of them. */
function distinct(findings: readonly Finding[]): Finding[] {
  const seen = new Map<string, Finding>();
  for (const { id, severity, blocking, object, evidence, remedy } of findings) {
    const finding = { id, severity, blocking, object, evidence, remedy };
    seen.set(JSON.stringify(finding), finding);
  }
  return [...seen.values()];
}

function compare(a: Finding, b: Finding): number {
  return (
    ranks[a.severity] - ranks[b.severity] ||
    order(a.id, b.id) ||
    order(a.object, b.object) ||
    order(a.evidence, b.evidence)
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function countsOf(findings: readonly ReportedFinding[]): PreflightReport['counts'] {
  const count = (wanted: (finding: ReportedFinding) => boolean) => findings.filter(wanted).length;
  return {
    error: count(({ severity }) => severity === 'error'),
    warning: count(({ severity }) => severity === 'warning'),
    info: count(({ severity }) => severity === 'info'),
    blocking: count(blocks),
    acknowledged: count(({ acknowledged }) => acknowledged !== undefined),
  };
}

function notesOn({ acknowledged, findings, later, today }: ReportParts): string[] {
  const found = new Set(findings.map(keyOf));
  return acknowledged.flatMap((entry) => {
    const name = `The acknowledgement of ${entry.id} on ${entry.object}`;
    if (!isValid(entry, today)) return [`${name} expired on ${entry.until} and is ignored.`];
    if (found.has(keyOf(entry)) || later.includes(entry.id)) return [];
    return [`${name} does not match a finding.`];
  });
}
