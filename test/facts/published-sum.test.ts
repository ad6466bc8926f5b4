import { describe, expect, it } from 'vitest';
import { publishedSum } from '../../src/facts/published-sum.ts';

const sum = 'Ab'.repeat(32);
const other = 'cd'.repeat(32);
const read = (stdout: string, file = 'tool-v1+k0s.0') =>
  publishedSum.parse({ code: 0, stdout, stderr: '' }, 'https://x/sums', file, 'sha256', '60');

describe('a published checksum', () => {
  it('is read from a list, in which names may have a "*" or a directory', () => {
    for (const name of [' tool-v1+k0s.0', '*tool-v1+k0s.0', ' ./out/tool-v1+k0s.0'])
      expect(read(`${other}  tool-v1\n${sum} ${name}\r\n`)).toBe(sum.toLowerCase());
  });

  it('is read from a file that contains nothing else', () => {
    expect(read(`${sum}\n`)).toBe(sum.toLowerCase());
  });

  it('is an error if the list has none, several, or one of another length', () => {
    for (const text of ['', `${other}  tool\n`, `${sum.slice(2)} *tool-v1+k0s.0\n`])
      expect(() => read(text)).toThrow('has no sha256 checksum of "tool-v1+k0s.0"');
    const twice = `${sum} *tool-v1+k0s.0\n${other} *tool-v1+k0s.0\n`;
    expect(() => read(twice)).toThrow('has more than one');
  });
});
