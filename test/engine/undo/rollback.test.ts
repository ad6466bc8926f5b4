import { afterEach, expect, it, vi } from 'vitest';
import { DiskFile } from '../../../src/journal/disk-file.ts';
import { UndoRunner } from '../../../src/engine/undo-unit.ts';
import { perform } from '../../helpers/scripted-hosts.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const names = Array.from({ length: 20 }, (_, index) => `h${String(index + 1)}`);
const inventory = `all: { hosts: { ${names.map((name) => `${name}: {}`).join(', ')} } }`;

it.each([
  ['undone', 'fail', 6],
  ['blocked, since their hosts are unreachable', `away-on ${names.join(' ')}`, 4],
])('records of changes that are %s share syncs, for any number of hosts', async (_, last, most) => {
  const sync = vi.spyOn(DiskFile.prototype, 'sync');
  vi.spyOn(DiskFile.prototype, 'releaseReserve').mockImplementation(() => {
    sync.mockClear();
  });
  const { recording } = await perform({
    text: `
- { name: One, command: ok, undo: [{ name: Undo one, command: ok }] }
- { name: Two, command: ok, undo: [{ name: Undo two, command: ok }] }
- { name: Last, command: ${last}, undo: { none: harmless } }`,
    inventory,
  });
  expect(recording.records.filter(({ t }) => t === 'undo-result')).toHaveLength(40);
  expect(sync.mock.calls.length).toBeLessThanOrEqual(most);
});

it('fails an undo after an unexpected error, and rolls back the other hosts', async () => {
  vi.spyOn(UndoRunner.prototype, 'undo').mockImplementation(({ intent }) =>
    intent.host === 'h2' ? Promise.reject(new RangeError('boom')) : Promise.resolve(undefined),
  );
  const { recording } = await perform({
    text: `
- { name: One, command: ok, undo: [{ name: Undo one, command: ok }] }
- { name: Last, command: fail, undo: { none: harmless } }`,
  });
  const message = 'Internal error in "command": boom.';
  const undos = recording.records.filter((record) => record.t === 'undo-result');
  expect(undos.map(({ unit, state }) => `${String(unit)} ${state}`).sort()).toEqual([
    ...['1 undone', '2 undo-failed', '3 undone'],
  ]);
  expect(undos.find(({ unit }) => unit === 2)?.why).toMatchObject({
    ...{ kind: 'failed', failure: { kind: 'internal', message } },
  });
});
