import { onH1, rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('results');

rule('register: is set for every outcome, and a skipped task overwrites an older result', {
  text: `
- { name: A, command: say first, register: r }
${say('Ok', '{{r.stdout}} {{r.changed}} {{r.failed}} {{r.rc}}')}
- { name: Fails, command: fail, register: r, ignore_errors: true }
${say('Failed', '{{r.failed}} {{r.rc}}')}
- { name: Skips, command: ok, when: false, register: r }
${say('Skipped', '{{r.skipped}} {{default r.stdout "nothing"}}')}
`,
  settings: onH1,
  messages: { Ok: 'first true false 0', Failed: 'true 1', Skipped: 'true nothing' },
});

rule('register: has the results of all items with their items; inside the loop, that of the item', {
  text: `
- { name: A, loop: [a, b], command: 'say {{item}}', register: r, changed_when: r.stdout == "b" }
${say('Print', '{{join (pluck r.results "stdout") "-"}} {{join (pluck r.results "item") "-"}} {{r.changed}}')}
`,
  settings: onH1,
  messages: { Print: 'a-b a-b true' },
});

rule('--output json: prints one event per line', {
  seen: ['test/lab/language.test.ts', 'unit-end'],
});

rule('debug: prints a message or the value of a variable', {
  text: `
- { name: Text, debug: { var: x.inner } }
- { name: Both, debug: { msg: '{{x.inner}}' } }
`,
  settings: { ...onH1, variables: { x: { inner: [1, 2] } } },
  messages: { Text: '[\n  1,\n  2\n]', Both: '[\n  1,\n  2\n]' },
  also: [
    {
      text: '- { name: A, debug: { var: nothing } }',
      problem: 'Variable "nothing" is not defined',
    },
    { text: '- { name: A, debug: { var: x, msg: x } }', problem: 'debug' },
    {
      text: '- { name: Braces, debug: { var: "{{x}}" } }',
      settings: { ...onH1, variables: { x: 'value' } },
      messages: { Braces: 'value' },
    },
  ],
});

rule('assert: "quiet" suppresses the message', {
  text: '- { name: A, assert: { that: ["1 == 1"], quiet: true } }',
  settings: onH1,
  messages: { A: '' },
});
