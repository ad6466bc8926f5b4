import { rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('delegation');

rule('delegate_to: uses the variables of the original host, which gets the result', {
  text: `
- { name: Delegated, command: 'say {{inventory_hostname}} {{own}}', delegate_to: h3, register: said, vars: { own: 'own {{inventory_hostname}}' } }
${say('Print', '{{said.stdout}}')}
`,
  messages: { Print: ['h1 own h1', 'h2 own h2', 'h3 own h3'] },
});

rule('delegate_to: may differ for each item', {
  text: '- { name: Delegated, loop: [h2, h3], command: fail-on h3, delegate_to: "{{item}}", run_once: true }',
  trace: ['Delegated: h1[h2] changed, h1[h3] failed'],
  failed: true,
});

rule('delegate_to: a failure belongs to the original host, and names the delegated host', {
  text: '- { name: Delegated, command: ok, delegate_to: h3, when: inventory_hostname == "h1" }',
  away: ['h3'],
  trace: ['Delegated: h1 unreachable, h2 h3 skipped'],
  messages: { Delegated: /"h3" does not answer/ },
  failed: true,
});

rule('delegate_to: must not be a failed host, unless allow_failed_delegate is set', {
  text: `
- name: P
  hosts: all
  max_failures: 1
  tasks:
    - { name: Fails, command: fail-on h3 }
    - { name: Allowed, command: ok, delegate_to: h3, allow_failed_delegate: true }
    - { name: Delegated, command: ok, delegate_to: h3 }
`,
  trace: ['Fails: h1 h2 changed, h3 failed', 'Allowed: h1 h2 changed', 'Delegated: h1 h2 failed'],
  failed: true,
  messages: { Delegated: /Cannot delegate to "h3", which failed earlier in this run/ },
});

rule(
  'delegate_to: facts are set on the original host, or with delegate_facts on the delegated host',
  {
    text: `
- { name: Own, set_fact: { fact: own }, delegate_to: h3, run_once: true }
- { name: There, set_fact: { other: there }, delegate_to: h3, delegate_facts: true, run_once: true }
- { name: Print, debug: { msg: '{{default fact "none"}} {{default other "none"}}' } }
`,
    messages: { Print: ['own none', 'own none', 'own there'] },
  },
);

rule('delegate_to: on a block applies to all its tasks', {
  text: '- { delegate_to: h2, run_once: true, block: [{ name: A, command: fail-on h1 }, { name: B, command: fail-on h2, ignore_errors: true }] }',
  trace: ['A: h1 changed', 'B: h1 failed ignored'],
});
