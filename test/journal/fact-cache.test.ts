import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FactCache } from '../../src/journal/fact-cache.ts';
import { Redactor } from '../../src/util/redact.ts';
import { hostOf } from '../helpers/tasks.ts';

let dir: string;
let cache: FactCache;
const redactor = new Redactor();
redactor.add('password', 'hunter22-secret');
const { address } = hostOf('h1');
const found = { facts: { cores: 4 }, gatheredAt: new Date(1000) };

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'runner-facts-'));
  cache = new FactCache(dir, redactor);
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const files = () => readdirSync(join(dir, 'facts')).map((name) => join(dir, 'facts', name));

it('returns the facts of a host with the time at which they were gathered', () => {
  expect(cache.has(address)).toBe(false);
  cache.keep(address, found);
  expect(cache.has(address)).toBe(true);
  expect(cache.read(address)).toEqual(found);
  expect(files().map((file) => (statSync(file).mode & 0o777).toString(8))).toEqual(['600']);
});

it('distinguishes hosts with the same name by address, port and transport', () => {
  cache.keep(address, found);
  for (const other of [{ port: 2222 }, { address: '10.0.0.1' }, { transport: 'local' as const }])
    expect(cache.read({ ...address, ...other })).toBeUndefined();
  expect(cache.read({ ...address, user: 'ada' })).toEqual(found);
});

it('masks secrets', () => {
  cache.keep(address, { ...found, facts: { said: 'hunter22-secret' } });
  expect(cache.read(address)?.facts).toEqual({ said: '***' });
});

it.each(['', '[]', '{}', '{"gatheredAt":"never","facts":{}}', '{"gatheredAt":"1970","facts":[]}'])(
  'ignores a damaged file: %s',
  (text) => {
    cache.keep(address, found);
    for (const file of files()) writeFileSync(file, text);
    expect(cache.read(address)).toBeUndefined();
  },
);

it('deletes the facts of one host or of all hosts', () => {
  const other = hostOf('h2').address;
  cache.keep(address, found);
  cache.keep(other, found);
  cache.forget(address);
  expect([cache.has(address), cache.has(other)]).toEqual([false, true]);
  cache.clear();
  expect(cache.has(other)).toBe(false);
});

it('does not fail if its directory cannot be created', () => {
  const nowhere = new FactCache(join(dir, 'file', 'below'), redactor);
  writeFileSync(join(dir, 'file'), '');
  nowhere.keep(address, found);
  expect(nowhere.read(address)).toBeUndefined();
});
