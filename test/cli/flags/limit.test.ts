import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limitOf } from '../../../src/cli/flags/limit.ts';
import { Cli } from '../../helpers/cli.ts';

let cli: Cli;
beforeEach(() => {
  cli = new Cli();
});
afterEach(() => {
  cli.dispose();
});

describe('--limit', () => {
  it('passes a pattern on unchanged', () => {
    expect(limitOf({ limit: 'web:!h1' })).toBe('web:!h1');
    expect(limitOf({})).toBeUndefined();
  });

  it('reads patterns from the lines of a file, without comments and empty lines', () => {
    const file = cli.file('hosts', 'h1\n\n# h2\n  web  # all of them\n');
    expect(limitOf({ limit: `@${file}` })).toBe('h1,web');
  });

  it('refuses a file without hosts, which would select every host', () => {
    const file = cli.file('hosts', '# none\n');
    expect(() => limitOf({ limit: `@${file}` })).toThrow(`--limit: "${file}" contains no hosts.`);
  });

  it('refuses a file that cannot be read', () => {
    expect(() => limitOf({ limit: '@/nowhere' })).toThrow('cannot read "/nowhere"');
  });
});
