import { onH1, rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('attempts');

rule('timeout: limits each attempt', {
  seen: ['test/openssh/shell.test.ts', 'ends a command that exceeds its time limit'],
});

rule('until, retries: the result has the number of attempts', {
  text: `
- { name: A, command: flaky 2, until: result.rc == 0, retries: 5, delay: 0, register: r }
${say('Print', '{{r.attempts}}')}
- { name: B, command: flaky 9, until: result.rc == 0, retries: 2, delay: 0, register: r, ignore_errors: true }
${say('Show', '{{r.attempts}}')}
`,
  settings: onH1,
  trace: ['A: h1 changed', 'Print: h1 ok', 'B: h1 failed ignored', 'Show: h1 ok'],
  messages: { Print: '3', Show: '3' },
});

rule('retries: without "until", a task is retried while it fails', {
  text: '- { name: A, command: flaky 1, retries: 1, delay: 0 }',
  settings: onH1,
  trace: ['A: h1 changed'],
});

rule('until: applies to each item of a loop', {
  text: `- { name: A, loop: [1, 2], command: 'flaky {{item}}', until: result.rc == 0, retries: 3, delay: 0, register: r }
${say('Print', '{{join (pluck r.results "attempts") "-"}}')}`,
  settings: onH1,
  messages: { Print: '2-3' },
});

rule('async: a task survives a lost connection; "poll: 0" is rejected', {
  seen: ['test/lab/execution-control.test.ts', 'waits for the result of the task'],
  text: '- { name: A, command: ok, async: 60, poll: 0 }',
  problem: 'poll',
});
