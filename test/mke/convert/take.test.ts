import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { Draft } from '../../../src/mke/convert/draft.ts';
import type { Row } from '../../../src/mke/convert/row.ts';
import { take } from '../../../src/mke/convert/take.ts';
import type { ConvertOptions } from '../../../src/mke/convert/types.ts';
import { Mke3Config } from '../../../src/mke/mke3-config.ts';

const advice = { why: 'there is no such field', what: 'nothing' };

function taken(toml: JsonObject, row: Row, options: Partial<ConvertOptions> = {}): Draft {
  const draft = new Draft(new Mke3Config(toml), { hosts: [], externalAddress: '', ...options });
  take(draft, row);
  return draft;
}

describe('a row', () => {
  it.each([
    [{ a: 5 }, 5],
    [{ a: '5' }, 5],
    [{}, 110],
    [{ a: 'many' }, 110],
  ])('sets its field from %j, or keeps the default', (toml, maxPods) => {
    const draft = taken(toml, { key: 'a', type: 'number', to: 'kubelet.maxPods' });
    expect(draft.at('kubelet')).toMatchObject({ maxPods });
  });

  it('sets a field of a list item, which it finds by name or provider', () => {
    const mode = 'network.providers[calico].extraConfig.mode';
    const { spec } = taken({ a: 'ipip' }, { key: 'a', type: 'text', to: mode });
    expect(spec).toMatchObject({
      network: { providers: [{ extraConfig: { mode: 'ipip' } }, {}, {}] },
    });
    const metallb = taken(
      { a: true },
      { key: 'a', type: 'boolean', to: 'addons[metallb].enabled' },
    );
    expect(metallb.spec).toMatchObject({ addons: [{ name: 'metallb', enabled: true }] });
  });

  it('can differ between MKE 4 releases', () => {
    const row: Row = {
      key: 'a',
      type: 'boolean',
      to: { '4.1': 'metallb.enabled' },
      advice: { '4.0': advice },
    };
    expect(taken({ a: true }, row).unconverted).toEqual([{ key: 'a', value: 'true', ...advice }]);
    const draft = taken({ a: true }, row, { target: '4.1' });
    expect(draft.unconverted).toEqual([]);
    expect(draft.at('metallb')).toEqual({ enabled: true });
  });

  it.each([
    [{ a: 30 }, 1],
    [{ a: 60 }, 0],
    [{ a: '60' }, 0],
    [{}, 0],
  ])('reports %j only if the value is not the default', (toml, count) => {
    const row: Row = { key: 'a', type: 'number', defaults: [60], advice };
    expect(taken(toml, row).unconverted).toHaveLength(count);
  });

  it('reports a value that cannot be converted, and keeps the default', () => {
    const row: Row = {
      key: 'a',
      type: 'text',
      to: 'etcd.storageQuota',
      as: (text) => (text === '1GB' ? text : undefined),
      unreadable: advice,
    };
    expect(taken({ a: '1GB' }, row).unconverted).toEqual([]);
    const draft = taken({ a: 'much' }, row);
    expect(draft.unconverted).toEqual([{ key: 'a', value: 'much', ...advice }]);
    expect(draft.at('etcd')).toEqual({ storageQuota: '2GB' });
  });

  it.each([
    [{ a: 'ipvs' }, 'text', 'iptables', ['ipvs']],
    [{ a: 'iptables' }, 'text', 'iptables', []],
    [{}, 'text', 'iptables', []],
    [{}, 'boolean', true, ['false']],
    [{}, 'boolean', false, []],
  ] as const)(
    'with %j as %s prevents the upgrade unless the value is %j',
    (toml, type, unless, values) => {
      const { refusals } = taken(toml, { key: 'a', type, refusal: { unless, ...advice } });
      expect(refusals.map(({ value }) => value)).toEqual(values);
    },
  );

  it('does not show a secret in the report', () => {
    const row: Row = { key: 'auth.scim.token', type: 'text', advice };
    expect(taken({ auth: { scim: { token: 's3cret' } } }, row).unconverted).toMatchObject([
      { value: '(secret)' },
    ]);
  });
});

describe('a row for component flags', () => {
  const flags: Row = { key: 'flags', type: 'flags', to: 'scheduler.extraArgs' };
  const profiling: Row = {
    key: 'a',
    type: 'text',
    flag: { of: 'scheduler.extraArgs', name: 'profiling' },
  };

  it('converts custom flags to a map and records their TOML key', () => {
    const draft = taken({ flags: ['--v=4', 'bad'] }, flags);
    expect(draft.at('scheduler.extraArgs')).toEqual({ v: '4' });
    expect(draft.origins).toEqual({ 'scheduler.extraArgs.v': 'flags' });
    expect(draft.unconverted.map(({ value }) => value)).toEqual(['bad']);
  });

  it('sets a flag unless a custom flag sets it', () => {
    const draft = taken({ a: 'true', flags: ['--profiling=false'] }, profiling);
    expect(draft.at('scheduler.extraArgs')).toEqual({ profiling: 'true' });
    expect(draft.origins).toEqual({ 'scheduler.extraArgs.profiling': 'a' });
    const custom = taken({ a: 'true', flags: ['--profiling=false'] }, flags);
    take(custom, profiling);
    expect(custom.at('scheduler.extraArgs')).toEqual({ profiling: 'false' });
  });

  it.each([flags, profiling])('reports a flag that --leave-out names (row $key)', (row) => {
    const toml = { a: 'true', flags: ['--profiling'] };
    const draft = taken(toml, row, { leaveOut: ['profiling'] });
    expect(draft.at('scheduler.extraArgs')).toEqual({});
    expect(draft.unconverted).toMatchObject([{ key: row.key, why: '--leave-out names it' }]);
  });
});
