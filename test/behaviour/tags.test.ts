import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('tags');

rule('tags: select the union, and skipped tags win', {
  text: `
- { name: A, command: ok, tags: a }
- { name: B, command: ok, tags: [a, b] }
- { name: C, command: ok, tags: c }
- { name: D, command: ok }
`,
  settings: { tags: ['a', 'c'], skipTags: ['b'], limit: 'h1' },
  trace: ['A: h1 changed', 'C: h1 changed'],
});

rule('tags: "always" runs unless skipped by name, "never" only if requested', {
  text: '- { name: A, command: ok, tags: always }\n- { name: N, command: ok, tags: [never, n] }\n- { name: B, command: ok, tags: b }',
  settings: { tags: ['b'], limit: 'h1' },
  trace: ['A: h1 changed', 'B: h1 changed'],
  also: [
    {
      text: '- { name: A, command: ok, tags: always }\n- { name: N, command: ok, tags: [never, n] }',
      settings: { tags: ['n'], skipTags: ['always'], limit: 'h1' },
      trace: ['N: h1 changed'],
    },
  ],
});

rule('tags: are inherited by everything inside, also by includes', {
  text: `
- name: P
  hosts: h1
  tasks:
    - { tags: t, block: [{ name: Block, command: ok }] }
    - { name: Include, include_tasks: more.yml, tags: t }
    - { name: Role, include_role: { name: r }, tags: t }
    - { name: Other, command: ok }
`,
  files: {
    'more.yml': '- { name: Included, command: ok }',
    'roles/r/tasks/main.yml': '- { name: In role, command: ok }',
  },
  settings: { tags: ['t'] },
  trace: ['Block: h1 changed', 'Included: h1 changed', 'In role: h1 changed'],
});

rule('tags: do not apply to handlers', {
  text: `
- name: P
  hosts: h1
  tasks: [{ name: A, command: ok, notify: Handler, tags: a }]
  handlers: [{ name: Handler, command: ok, tags: other }]
`,
  settings: { tags: ['a'] },
  trace: ['A: h1 changed', 'Handler: h1 changed'],
});

rule('tags: a block with a selected task runs its rescue and always sections', {
  text: `
- block:
    - { name: A, command: fail-on h1, tags: a }
    - { name: B, command: ok, tags: b }
  rescue: [{ name: Rescue, command: ok }]
  always: [{ name: Always, command: ok }]
`,
  settings: { tags: ['a'], limit: 'web' },
  trace: ['A: h1 failed, h2 changed', 'Rescue: h1 changed', 'Always: h1 h2 changed'],
});

rule('tags: unknown ones are an error; "all", "tagged" and "untagged" are supported', {
  seen: [
    'test/lab/execution-control.test.ts',
    '`--tags` selects by name, `all`, `tagged` and `untagged`, and respects `always` and `never`',
  ],
});
