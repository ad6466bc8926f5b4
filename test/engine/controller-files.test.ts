import { describe, expect, it } from 'vitest';
import type { ControllerDisk } from '../../src/core/ports.ts';
import { ControllerFiles } from '../../src/engine/controller-files.ts';
import { Scope } from '../../src/template/scope.ts';
import { memoryFiles } from '../../src/sim/memory-files.ts';
import { systemRandom } from '../../src/util/random.ts';

/** A disk whose files exist but cannot be read. */
function closedDisk(): ControllerDisk {
  const refuse = (): never => {
    throw Object.assign(new Error("EACCES: permission denied, open '/p/files/a'"), {
      code: 'EACCES',
      errno: -13,
    });
  };
  const later = () => Promise.resolve().then(refuse);
  return {
    ...memoryFiles({ '/p/files/a': 'x', '/p/templates/a': 'x', '/p/files/d/a': 'x' }),
    text: refuse,
    bytes: refuse,
    beginning: refuse,
    read: later,
    digest: later,
    tree: later,
    archive: later,
  };
}

describe('an error for an unreadable file on the controller', () => {
  const files = new ControllerFiles({
    files: closedDisk(),
    random: systemRandom,
    scope: new Scope([]),
    directories: ['/p'],
    request: () => Promise.reject(new Error('not asked')),
    decrypt: (text) => Buffer.from(text),
    keptCopy: () => undefined,
  });

  it.each([
    ['a file', () => files.file('a'), '/p/files/a'],
    ['a large file', () => files.fileInfo('a'), '/p/files/a'],
    ['a template', () => files.render('a'), '/p/templates/a'],
    ['a directory', () => files.directory('d'), '/p/files/d'],
    ['an archive', () => files.archive('a'), '/p/files/a'],
  ] as [string, () => Promise<unknown>, string][])(
    'contains its path: %s',
    async (_title, read, path) => {
      await expect(read()).rejects.toMatchObject({
        code: 'TASK_FAILED',
        message: expect.stringContaining(`"${path}" cannot be read: permission denied.`) as string,
      });
    },
  );
});
