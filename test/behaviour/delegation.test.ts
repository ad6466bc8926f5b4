import { rulesOf, say } from '../helpers/behaviour.ts';

const rule = rulesOf('delegation');

rule('delegate_to: runs there with the variables of the host it is for, whose the result is', {
  text: `
- { name: Ask, command: 'say {{inventory_hostname}} {{own}}', delegate_to: h3, register: said, vars: { own: 'own {{inventory_hostname}}' } }
${say('Say', '{{said.stdout}}')}
`,
  messages: { Say: ['h1 own h1', 'h2 own h2', 'h3 own h3'] },
});

rule('delegate_to: what it is delegated to may differ from item to item', {
  text: '- { name: Ask, loop: [h2, h3], command: fail-on h3, delegate_to: "{{item}}", run_once: true }',
  trace: ['Ask: h1[h2] changed, h1[h3] failed'],
  failed: true,
});

rule('delegate_to: of a failure the host it was for has the blame, and the delegate is named', {
  text: '- { name: Ask, command: ok, delegate_to: h3, when: inventory_hostname == "h1" }',
  away: ['h3'],
  trace: ['Ask: h1 unreachable, h2 h3 skipped'],
  messages: { Ask: /"h3" does not answer/ },
  failed: true,
});

rule('delegate_to: a host that has failed is not asked', {
  text: `
- name: P
  hosts: all
  max_failures: 1
  tasks:
    - { name: Fails, command: fail-on h3 }
    - { name: All the same, command: ok, delegate_to: h3, allow_failed_delegate: true }
    - { name: Ask, command: ok, delegate_to: h3 }
`,
  trace: ['Fails: h1 h2 changed, h3 failed', 'All the same: h1 h2 changed', 'Ask: h1 h2 failed'],
  failed: true,
  messages: { Ask: /Cannot delegate to "h3", which failed earlier in this run/ },
});

rule(
  'delegate_to: facts go to the host that asked, or with delegate_facts to the one that was asked',
  {
    text: `
- { name: Own, set_fact: { fact: own }, delegate_to: h3, run_once: true }
- { name: There, set_fact: { other: there }, delegate_to: h3, delegate_facts: true, run_once: true }
- { name: Say, debug: { msg: '{{default fact "none"}} {{default other "none"}}' } }
`,
    messages: { Say: ['own none', 'own none', 'own there'] },
  },
);

rule('delegate_to: on a block, for all in it', {
  text: '- { delegate_to: h2, run_once: true, block: [{ name: A, command: fail-on h1 }, { name: B, command: fail-on h2, ignore_errors: true }] }',
  trace: ['A: h1 changed', 'B: h1 failed ignored'],
});
