import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/mke/findings/finding.ts';
import { findingsJson } from '../../../src/mke/findings/json.ts';
import { findingsMarkdown } from '../../../src/mke/findings/markdown.ts';
import { preflightReport, type ReportParts } from '../../../src/mke/findings/report.ts';
import { findingsTable } from '../../../src/mke/findings/table.ts';
import { packageRoot } from '../../../src/util/package.ts';

const finding = (more: Partial<Finding> = {}): Finding => ({
  ...{ id: 'no_k0s', severity: 'error', blocking: true, object: 'host a' },
  ...{ evidence: 'Left of an earlier k0s.', remedy: 'k0s reset', ...more },
});
const entry = (more: object = {}) => ({
  ...{ id: 'no_k0s', object: 'host a', reason: 'it is a test', until: '2026-11-27', ...more },
});
const reportOf = (findings: readonly Finding[], more: Partial<ReportParts> = {}) =>
  preflightReport({
    ...{ findings, checks: ['no_k0s', 'space'], acknowledged: [], later: [] },
    ...{ today: '2026-11-27', ...more },
  });

const schemaOf = (name: string): ValidateFunction => {
  const text = readFileSync(join(packageRoot(), 'schemas', name), 'utf8');
  return new Ajv({ formats: { date: /^\d{4}-\d{2}-\d{2}$/ } }).compile(JSON.parse(text) as object);
};

/** What hosts may have called something: colors, titles, other directions, markup. */
const hostile = [
  '\u001b[31mred\u001b[0m \u009b2J \u001b]0;title\u0007 \u202ereversed\u202c zero\u200bwidth',
  'line one\nline two\r\n| cell | <img src=x onerror=alert(1)> [link](javascript:1) ![i](https://evil.example)',
  '`code` ``` **bold** _it_ # head {{secret}} www.evil.example a@b.c',
].join(' ');

describe('findings', () => {
  it('are sorted by severity, id and object, without duplicates', () => {
    const found = [
      finding({ id: 'z', severity: 'info' }),
      finding({ object: 'host b' }),
      finding(),
      finding({ id: 'a', severity: 'warning' }),
      finding(),
    ];
    expect(reportOf(found).findings.map(({ id, object }) => `${id} ${object}`)).toEqual([
      'no_k0s host a',
      'no_k0s host b',
      'a host a',
      'z host a',
    ]);
  });

  it('do not block if an acknowledgement names exactly their object', () => {
    const { findings, counts, notes } = reportOf([finding(), finding({ object: 'host ab' })], {
      acknowledged: [entry(), entry({ object: 'host *' })],
    });
    expect(findings.map(({ acknowledged }) => acknowledged)).toEqual([
      { reason: 'it is a test', until: '2026-11-27' },
      undefined,
    ]);
    expect(counts).toMatchObject({ blocking: 1, acknowledged: 1, error: 2 });
    expect(notes).toEqual(['The acknowledgement of no_k0s on host * does not match a finding.']);
  });

  it('block again on the day after their acknowledgement expired, with a note', () => {
    const { counts, notes } = reportOf([finding()], {
      ...{ acknowledged: [entry()], today: '2026-11-28' },
    });
    expect(counts.blocking).toBe(1);
    expect(notes).toEqual([
      'The acknowledgement of no_k0s on host a expired on 2026-11-27 and is ignored.',
    ]);
  });

  it('of later checks can be acknowledged without a note', () => {
    const acknowledged = [entry({ id: 'sysinfo' })];
    expect(reportOf([], { acknowledged, later: ['sysinfo'] }).notes).toEqual([]);
  });
});

describe('the table', () => {
  it('has severity, effect, check, object, evidence, and remedy or reason', () => {
    const found = [finding(), finding({ object: 'host b', evidence: 'word '.repeat(40) })];
    const report = reportOf(found, { acknowledged: [entry()] });
    expect(findingsTable(report)).toMatchInlineSnapshot(`
      "Pre-upgrade checks: 1 finding blocks the upgrade, 1 acknowledged.

      SEVERITY  BLOCKS        CHECK   OBJECT
      error     acknowledged  no_k0s  host a
          Left of an earlier k0s.
          Acknowledged until 2026-11-27: it is a test
      error     yes           no_k0s  host b
          word word word word word word word word word word word word word word word word word word word
          word word word word word word word word word word word word word word word word word word word
          word word
          Remedy: k0s reset

      Apply the remedies, then run the checks again. To accept a finding, add its check and object to a
      file and use --acknowledge FILE.
      "
    `);
  });

  it('prints "no findings" if there are none', () => {
    expect(findingsTable(reportOf([]))).toBe('Pre-upgrade checks: no findings.\n');
  });

  it('has only remedies in lines longer than 100 columns', () => {
    const long = finding({ object: `Pod ${'n'.repeat(150)}/x`, evidence: 'y'.repeat(300) });
    const lines = findingsTable(reportOf([long, finding({ object: hostile })])).split('\n');
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });
});

describe('text from hosts', () => {
  const found = [finding({ object: hostile, evidence: hostile, remedy: hostile })];
  const report = reportOf(found, { acknowledged: [entry({ object: hostile, reason: hostile })] });
  const open = reportOf(found);
  // eslint-disable-next-line no-control-regex -- the test searches for control characters
  const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]/;

  it.each([
    ['table', findingsTable],
    ['Markdown', findingsMarkdown],
    ['JSON', findingsJson],
  ] as const)('has no control or invisible characters in the %s', (_, text) => {
    expect(text(report)).not.toMatch(controls);
    expect(text(open)).not.toMatch(controls);
  });

  it('is escaped in Markdown', () => {
    const text = findingsMarkdown(report);
    const outsideCode = text.replaceAll(/(`+) .*? \1(?!`)/g, '');
    expect(outsideCode).not.toMatch(/<img|(?<!\\)\]\(|https:\/\//);
    const [row = ''] = text.split('\n').filter((line) => line.startsWith('| error'));
    // Seven borders of six cells: the text adds none.
    expect(row.match(/(?<!\\)\|/g)).toHaveLength(7);
    expect(row).toContain(String.raw`\*\*bold\*\*`);
  });

  it('is unchanged after parsing the JSON', () => {
    const { findings } = JSON.parse(findingsJson(report)) as { findings: Finding[] };
    expect(findings[0]).toMatchObject({ object: hostile, evidence: hostile });
  });
});

describe('schemas/', () => {
  const valid = schemaOf('preflight.schema.json');

  it('describes preflight.json', () => {
    const report = reportOf([finding(), finding({ severity: 'info', blocking: false })], {
      acknowledged: [entry(), entry({ object: 'other' })],
    });
    expect(valid(JSON.parse(findingsJson(report))), JSON.stringify(valid.errors)).toBe(true);
    expect(valid(JSON.parse(findingsJson(reportOf([]))))).toBe(true);
    expect(valid({ ...report, counts: {} })).toBe(false);
    expect(valid({ ...report, more: 1 })).toBe(false);
  });

  it('describes the file for --acknowledge', () => {
    const check = schemaOf('acknowledge.schema.json');
    expect(check([entry()])).toBe(true);
    for (const wrong of [{ reason: ' ' }, { until: 'never' }, { id: 'No' }, { more: 1 }])
      expect(check([entry(wrong)])).toBe(false);
  });
});
