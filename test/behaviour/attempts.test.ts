import { onH1, rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('attempts');

rule('timeout: a limit for each attempt', {
  seen: ['test/openssh/shell.test.ts', 'ends a command that exceeds its time limit'],
});

rule('until, retries: attempts are counted as they were', {
  text: `
- { name: A, command: flaky 2, until: result.rc == 0, retries: 5, delay: 0, register: r }
${say('Say', '{{r.attempts}}')}
- { name: B, command: flaky 9, until: result.rc == 0, retries: 2, delay: 0, register: r, ignore_errors: true }
${say('Said', '{{r.attempts}}')}
`,
  settings: onH1,
  trace: ['A: h1 changed', 'Say: h1 ok', 'B: h1 failed ignored', 'Said: h1 ok'],
  messages: { Say: '3', Said: '3' },
});

rule('retries: without until as long as it fails', {
  text: '- { name: A, command: flaky 1, retries: 1, delay: 0 }',
  settings: onH1,
  trace: ['A: h1 changed'],
});

rule('until: for each item', {
  text: `- { name: A, loop: [1, 2], command: 'flaky {{item}}', until: result.rc == 0, retries: 3, delay: 0, register: r }
${say('Say', '{{join (pluck r.results "attempts") "-"}}')}`,
  settings: onH1,
  messages: { Say: '2-3' },
});

rule('async: a step that goes on without its connection; one that nobody waits for is refused', {
  seen: ['test/lab/execution-control.test.ts', 'waits for the result of the task'],
  text: '- { name: A, command: ok, async: 60, poll: 0 }',
  problem: 'poll',
});
