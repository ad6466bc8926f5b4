import { onH1, rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('templates');

rule('omit: removes the argument', {
  text: '- { name: A, copy: { content: x, dest: /etc/x, mode: "{{default mode omit}}" } }',
  settings: onH1,
  trace: ['A: h1 changed'],
});

rule('templates: text that is a single expression keeps its type', {
  text: `
- { name: Set, set_fact: { n: '{{5}}', both: '{{x}}', text: 'a{{x}}' } }
- { name: Check, assert: { that: ['n == 5', 'size(both) == 2', 'text == "a[1,2]"'] } }
`,
  settings: { ...onH1, variables: { x: [1, 2] } },
  trace: ['Set: h1 ok', 'Check: h1 ok'],
});

rule('templates: undefined names in the arguments of block helpers are errors, too', {
  text: `- { name: Include, include_vars: some.yml }\n- { name: Print, debug: { msg: '{{#if late}}x{{/if}}' } }`,
  files: { 'vars/some.yml': 'other: 1' },
  settings: onH1,
  messages: { Print: /"late" is not defined/ },
  failed: true,
});

rule('templates: data from hosts and variables is never rendered', {
  text: `- { name: A, command: { argv: [say, '{{quoted}}'] }, register: r }\n${say('Print', '{{r.stdout}}')}`,
  settings: { ...onH1, variables: { quoted: '{{evil}}' } },
  messages: { Print: '{{evil}}' },
});

rule('helpers: the examples of their reference pages are correct', {
  seen: ['test/contract/reference.test.ts', 'helperDocs'],
});

rule('env, file, date: read the controller, but not in an undo or a fingerprint', {
  text: `- name: P\n  hosts: h1\n  vars: { home: '{{env "PLACE"}}', motd: '{{file "motd"}}' }\n  tasks:\n    ${say('Print', '{{home}} {{motd}} {{date "%Y"}}')}`,
  files: { 'files/motd': 'hello\n' },
  env: { PLACE: '/here' },
  messages: { Print: '/here hello 1970' },
  also: [
    {
      text: say('Print', '{{file "none"}}'),
      problem: 'reads the file "none", which does not exist',
    },
    {
      text: '- { name: A, command: ok, undo: [{ name: U, command: "say {{env `X`}}" }] }'.replaceAll(
        '`',
        "'",
      ),
      problem: 'cannot read the controller',
    },
    {
      text: `
rollback: { verify: [{ name: V, command: { cmd: 'say {{env "X"}}', read_only: true } }] }
fingerprint: [{ name: F, command: { cmd: 'say {{env "X"}}', read_only: true } }]
plays:
  - name: P
    hosts: h1
    tasks:
      - undo: [{ name: B, command: 'say {{file "a"}}' }]
        block: [{ name: A, command: ok }]
`,
      problem: /Task "F" cannot.*\n.*Task "V" cannot.*\n.*Task "B" cannot/,
    },
  ],
});
