import { describe, expect, it } from 'vitest';
import { script } from '../../src/modules/script.ts';
import { fakeHost, fileFact, testModule } from '../helpers/module-tester.ts';

testModule(script, {
  settled: [
    {
      title: 'the path in "creates" exists',
      args: { cmd: 'setup.sh', creates: '/done' },
      files: { 'setup.sh': 'true' },
      facts: { 'file.state /done': fileFact({}) },
    },
  ],
  refused: [
    {
      title: 'a file that is not text',
      args: { cmd: 'setup.sh' },
      files: { 'setup.sh': 'a\u0000b' },
      code: 'TASK_FAILED',
    },
  ],
});

describe('script', () => {
  it('passes arguments as separate words and the script on standard input', async () => {
    const host = fakeHost({ files: { 'a.py': 'print(1)' } });
    const { actions } = await script.plan({ cmd: 'a.py "x y" z', executable: 'python3' }, host);
    expect(actions).toMatchObject([{ kind: 'exec', stdin: 'print(1)' }]);
    expect((actions[0] as { argv: string[] }).argv.slice(3)).toEqual([
      'a.py',
      'python3',
      'x y',
      'z',
    ]);
  });
});
