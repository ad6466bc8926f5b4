import { describe, expect, it } from 'vitest';
import { tempfile } from '../../src/modules/tempfile.ts';
import { absent, fakeHost, testModule } from '../helpers/module-tester.ts';

testModule(tempfile, {
  acts: true,
  settled: [],
  refused: [{ title: 'a prefix with a slash', args: { prefix: '../x' }, code: 'SCHEMA' }],
});

describe('tempfile', () => {
  it('removes the temporary file in its undo', async () => {
    const sight = fakeHost({});
    sight.host.fact = <T>() => Promise.resolve(absent as T);
    const { actions, result, undo } = await tempfile.plan(
      { state: 'directory', suffix: '.d' },
      sight,
    );
    const path = String(result?.['path']);
    expect(path).toBe(`/tmp/runner.${'ab'.repeat(8)}.d`);
    expect(actions).toEqual([
      { kind: 'mkdir', path },
      { kind: 'chmod', path, mode: '0700' },
    ]);
    expect(undo?.calls).toEqual([{ module: 'restore_path', args: { path, state: 'absent' } }]);
  });
});
