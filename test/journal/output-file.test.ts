import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { OutputFile } from '../../src/journal/output-file.ts';
import { Redactor } from '../../src/util/redact.ts';

const dir = mkdtempSync(join(tmpdir(), 'runner-output-'));
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe('OutputFile', () => {
  it('masks a secret that is split between chunks', () => {
    const redactor = new Redactor();
    redactor.add('word', 'open sesame');
    const part = fc.constantFrom('open sesame', 'open ', 'sesame', 'ö', '\n', 'text');
    const path = join(dir, 'deep', '1.1.stdout');
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        (parts, sizes) => {
          const bytes = Buffer.from(parts.join(''));
          const file = new OutputFile(path, redactor);
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const size = sizes[turn % sizes.length] ?? 1;
            file.write(bytes.subarray(at, at + size));
            at += size;
          }
          file.end();
          expect(readFileSync(path, 'utf8')).toBe(redactor.mask(parts.join('')));
        },
      ),
      { numRuns: 300 },
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'deep')).mode & 0o777).toBe(0o700);
  });

  it('reports a failure instead of throwing if the file cannot be created', () => {
    writeFileSync(join(dir, 'a file'), '');
    const path = join(dir, 'a file', '1.1.stdout');
    const file = new OutputFile(path, new Redactor());
    file.write(Buffer.from('x'));
    file.end();
    expect(file.path).toBe(path);
    expect(file.failed).toBe(true);
  });
});
