import { describe, expect, it } from 'vitest';
import type { Difference, NotUndone } from '../../src/core/undo.ts';
import { describeDifference, describeNotUndone } from '../../src/output/undo.ts';
import { refusal } from '../helpers/records.ts';

const silent = { kind: 'condition', of: 'failed_when', text: 'true', tries: 1 } as const;

describe('the message for a change that is not undone', () => {
  it.each<[NotUndone, string]>([
    [{ kind: 'failed', failure: refusal('no'), task: 'Undo' }, 'no'],
    [{ kind: 'failed', failure: silent, task: 'Undo' }, 'undo task "Undo" failed'],
    [{ kind: 'unmet', condition: 'a == b' }, 'undo_when is false: a == b'],
    [
      { kind: 'uncovered' },
      'this step has no undo: restore it by hand, then run the rollback again with --skip CHANGE',
    ],
    [{ kind: 'irreversible', reason: 'wiped' }, 'cannot be undone: wiped'],
    [{ kind: 'requested' }, 'skipped with --skip'],
    [{ kind: 'unneeded' }, 'no task of the block changed anything'],
    [{ kind: 'replaced' }, 'replaced by the undo of its block'],
    [{ kind: 'unnotified' }, 'no change that notified it was undone'],
    [{ kind: 'notifier' }, 'a step that notified it is not undone'],
    [{ kind: 'later' }, 'a later step on this host is not undone'],
    [{ kind: 'later', hosts: ['h1', 'h2'] }, 'a later step on h1, h2 is not undone'],
    [{ kind: 'running', host: 'h1' }, 'the step may still be running on h1'],
    [{ kind: 'unresolved', host: 'h1' }, 'h1 did not report the outcome of the step'],
    [{ kind: 'unreachable', host: 'h1' }, 'h1 is unreachable'],
    [{ kind: 'unreachable' }, 'waited for an unreachable host'],
  ])('gives the reason of %j', (why, text) => {
    expect(describeNotUndone(why)).toBe(text);
  });
});

describe('the message for a state that differs after the rollback', () => {
  it.each<[Difference, string]>([
    [
      { what: '/etc/a', actions: ['write /etc/a'] },
      '/etc/a is not restored (remaining: write /etc/a)',
    ],
    [{ what: '/etc/a', failed: refusal('no') }, '/etc/a: no'],
    [{ what: '/etc/a', failed: silent }, '/etc/a: cannot be verified'],
  ])('names the state that %j did not restore', (difference, text) => {
    expect(describeDifference(difference)).toBe(text);
  });
});
