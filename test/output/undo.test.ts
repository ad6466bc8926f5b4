import { describe, expect, it } from 'vitest';
import type { Difference, NotUndone } from '../../src/core/undo.ts';
import { describeDifference, describeNotUndone } from '../../src/output/undo.ts';
import { refusal } from '../helpers/records.ts';

const silent = { kind: 'condition', of: 'failed_when', text: 'true', tries: 1 } as const;

describe('the reason why a change is not undone', () => {
  it.each<[NotUndone, string]>([
    [{ kind: 'failed', failure: refusal('no'), task: 'Undo' }, 'no'],
    [{ kind: 'failed', failure: silent, task: 'Undo' }, 'undo task "Undo" failed'],
    [{ kind: 'unmet', condition: 'a == b' }, 'undo_when does not hold: a == b'],
    [
      { kind: 'uncovered' },
      'this step has no undo: restore it by hand, then run the rollback again with --skip CHANGE',
    ],
    [{ kind: 'irreversible', reason: 'wiped' }, 'cannot be undone: wiped'],
    [{ kind: 'requested' }, 'skipped on request'],
    [{ kind: 'unneeded' }, 'nothing inside was changed'],
    [{ kind: 'replaced' }, 'the undo of its block stands for it'],
    [{ kind: 'unnotified' }, 'no change that notified it was undone'],
    [{ kind: 'notifier' }, 'a step that notified it is not undone'],
    [{ kind: 'later' }, 'a later step of this host is not undone'],
    [{ kind: 'later', hosts: ['h1', 'h2'] }, 'a later step of h1, h2 is not undone'],
    [{ kind: 'running', host: 'h1' }, 'It may still run on "h1"'],
    [{ kind: 'unresolved', host: 'h1' }, '"h1" cannot be asked what became of the step'],
    [{ kind: 'unreachable', host: 'h1' }, 'h1 cannot be reached'],
    [{ kind: 'unreachable' }, 'waits for a host that cannot be reached'],
  ])('%j is a sentence', (why, text) => {
    expect(describeNotUndone(why)).toBe(text);
  });
});

describe('a difference from the state before the run', () => {
  it.each<[Difference, string]>([
    [{ what: '/etc/a', actions: ['write /etc/a'] }, '/etc/a would still need: write /etc/a'],
    [{ what: '/etc/a', failed: refusal('no') }, '/etc/a: no'],
    [{ what: '/etc/a', failed: silent }, '/etc/a: cannot be looked at'],
  ])('%j is a sentence', (difference, text) => {
    expect(describeDifference(difference)).toBe(text);
  });
});
