import { onH1, rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('failures');

rule('ignore_errors: ignores failures, which stay failures in the result', {
  text: `
- { name: A, command: fail, ignore_errors: true, register: a }
${say('Print', '{{a.failed}}')}
`,
  settings: onH1,
  trace: ['A: h1 failed ignored', 'Print: h1 ok'],
  messages: { Print: 'true' },
});

rule('ignore_errors: does not ignore unreachable hosts', {
  text: '- { name: A, command: away-on h1, ignore_errors: true }\n- { name: B, command: ok }',
  trace: ['A: h1 unreachable, h2 h3 changed'],
  failed: true,
});

rule('ignore_errors: does not ignore undefined values in templates', {
  text: `- { name: A, debug: { msg: '{{get x "missing" "deeper"}}' }, ignore_errors: true }\n- { name: B, command: ok }`,
  settings: { ...onH1, variables: { x: {} } },
  failed: true,
});

rule('ignore_unreachable: the host continues, and the result is "unreachable"', {
  text: `
- { name: A, command: ok, ignore_unreachable: true, register: a }
- { name: Print, debug: { msg: '{{a.unreachable}}' } }
`,
  away: ['h1'],
  settings: onH1,
  trace: ['A: h1 unreachable ignored', 'Print: h1 ok'],
  messages: { Print: 'true' },
});

rule('any_errors_fatal: a failure fails all hosts, each with its own rescue', {
  seen: [
    'test/lab/keywords.test.ts',
    'runs the rescue of a block on every host when one host fails',
  ],
  text: `
- any_errors_fatal: true
  block: [{ name: A, command: fail-on h1 }, { name: B, command: ok }]
`,
  trace: ['A: h1 failed, h2 h3 changed'],
  failed: true,
});

rule('failures: the table of docs/errors.md', {
  seen: ['test/lab/errors.test.ts', 'the table "When something fails" of docs/errors.md'],
});

rule('max_failures: later plays exclude failed hosts, and their header lists them', {
  seen: ['test/lab/errors.test.ts', 'excluded because they failed in an earlier play'],
  text: `
- { name: P, hosts: all, max_failures: 1, tasks: [{ name: A, command: fail-on h2 }] }
- { name: Q, hosts: all, tasks: [{ name: B, command: ok }] }
`,
  trace: ['A: h1 h3 changed, h2 failed', 'B: h1 h3 changed'],
});
