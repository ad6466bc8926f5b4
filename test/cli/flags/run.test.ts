import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addRunOptions, budgetOf, outputForm } from '../../../src/cli/flags/run.ts';

const parse = (...argv: string[]) =>
  addRunOptions(new Command().exitOverride())
    .configureOutput({ writeErr: () => undefined })
    .parse(argv, { from: 'user' })
    .opts<{ debug?: string[]; takeOver?: string[] }>();

describe('--rollback-budget', () => {
  it('is a number of seconds, and 0 does not wait', () => {
    expect(budgetOf({})).toBeUndefined();
    expect(budgetOf({ rollbackBudget: '0' })).toBe(0);
    expect(budgetOf({ rollbackBudget: '1.5' })).toBe(1.5);
  });

  it.each(['-1', 'x', 'Infinity'])('refuses "%s"', (rollbackBudget) => {
    expect(() => budgetOf({ rollbackBudget })).toThrow('--rollback-budget must be a number');
  });
});

describe('--output', () => {
  it('"auto" selects plain output with --debug, whose logs would garble the live display', () => {
    expect(outputForm({ output: 'auto' })).toBe('auto');
    expect(outputForm({ output: 'auto', debug: ['ssh'] })).toBe('plain');
    expect(outputForm({ output: 'json', debug: ['ssh'] })).toBe('json');
  });
});

describe('the options of every run', () => {
  it('collect the values of repeated options', () => {
    const { debug, takeOver } = parse(
      ...['--debug', 'ssh,vars', '--debug', 'journal'],
      ...['--take-over', 'r1', '--take-over', 'r2'],
    );
    expect(debug).toEqual(['ssh', 'vars', 'journal']);
    expect(takeOver).toEqual(['r1', 'r2']);
  });

  it('suggest a topic with a similar name', () => {
    expect(() => parse('--debug', 'shs')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('"ssh"') as string }) as Error,
    );
  });
});
