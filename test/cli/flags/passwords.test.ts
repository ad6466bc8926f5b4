import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstLine, passwordFrom } from '../../../src/cli/flags/passwords.ts';
import { Cli } from '../../helpers/cli.ts';
import { quietWorld } from '../../helpers/world.ts';

let cli: Cli;
beforeEach(() => {
  cli = new Cli();
});
afterEach(() => {
  cli.dispose();
});

describe('a password', () => {
  const asked = { file: undefined, flag: '--password-file', ask: 'Password' };

  it('is the first line of a file, and is masked in all output', async () => {
    const world = quietWorld();
    const file = cli.file('password', 'correct horse\r\nsecond line\n');
    expect(await passwordFrom(world, { ...asked, file })).toBe('correct horse');
    expect(world.redactor.mask('it is correct horse')).toBe('it is ***');
  });

  it('is not prompted for unless an option requests it', async () => {
    expect(await passwordFrom(quietWorld(), { ...asked, ask: undefined })).toBeUndefined();
  });

  it('cannot be prompted for without a terminal, and the message names the flag', async () => {
    await expect(passwordFrom(quietWorld(), asked)).rejects.toMatchObject({
      message: 'Cannot prompt for a password without a terminal.',
      hint: 'Use --password-file.',
    });
  });

  it('must not be empty, and its file must exist', () => {
    const empty = cli.file('empty', '\nsecond line\n');
    expect(() => firstLine(empty, '--f')).toThrow(`--f: the first line of "${empty}" is empty.`);
    expect(() => firstLine('/nowhere', '--f')).toThrow('--f: cannot read "/nowhere".');
  });
});
