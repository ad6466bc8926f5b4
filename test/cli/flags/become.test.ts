import { describe, expect, it } from 'vitest';
import { addBecomeOptions, becomeOf, recordedBecome } from '../../../src/cli/flags/become.ts';
import { earlyOptions } from '../../../src/cli/flags/early.ts';

const read = (...argv: string[]) => becomeOf(earlyOptions(argv, addBecomeOptions));

describe('--become', () => {
  it.each([
    [[], undefined],
    [['-b'], { enabled: true }],
    [['--become-user', 'app'], { user: 'app' }],
    [['--become', '--become-method=su'], { enabled: true, method: 'su' }],
  ])('sets defaults for plays: %j gives %j', (argv, become) => {
    expect(read(...argv)).toEqual(become);
  });

  it('is found among unknown options, but not after "--"', () => {
    expect(read('site.yml', '--input', 'x', '-b', '--more')).toEqual({ enabled: true });
    expect(read('site.yml', '--', '-b')).toBeUndefined();
  });

  it('is recorded only if it is given', () => {
    expect(recordedBecome({})).toEqual({});
    expect(recordedBecome({ becomeUser: 'app' })).toEqual({ become: { user: 'app' } });
  });
});
