import { onH1, rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('blocks-and-rescue');

const block = (inside: string, rescue = '', always = '') => `
- name: Block
  block:
${inside.trim().replaceAll(/^/gm, '    ')}
${rescue === '' ? '' : `  rescue:\n${rescue.trim().replaceAll(/^/gm, '    ')}`}
${always === '' ? '' : `  always:\n${always.trim().replaceAll(/^/gm, '    ')}`}
- { name: Later, command: ok }
`;

rule('rescue: runs on failed hosts, which continue after the block; always: runs on all hosts', {
  text: block(
    '- { name: A, command: fail-on h1 }',
    '- { name: R, command: ok }',
    '- { name: Z, command: ok }',
  ),
  trace: [
    'A: h1 failed, h2 h3 changed',
    'R: h1 changed',
    'Z: h1 h2 h3 changed',
    'Later: h1 h2 h3 changed',
  ],
});

rule('rescue: also runs for unreachable hosts', {
  text: block('- { name: A, command: away-on h1 }', '- { name: R, debug: { msg: x } }'),
  trace: ['A: h1 unreachable, h2 h3 changed', 'R: h1 ok', 'Later: h1 unreachable, h2 h3 changed'],
  failed: true,
});

rule('rescue: if it fails, always still runs, then the rescue of the enclosing block', {
  text: `
- block:
    - block: [{ name: A, command: fail }]
      rescue: [{ name: Inner, command: fail }]
      always: [{ name: Z, command: ok }]
  rescue: [{ name: Outer, debug: { msg: '{{failed.task}}' } }]
`,
  settings: onH1,
  trace: ['A: h1 failed', 'Inner: h1 failed', 'Z: h1 changed', 'Outer: h1 ok'],
  messages: { Outer: 'Inner' },
});

rule('always: a failure in it fails the host, even if the rescue succeeded', {
  text: block(
    '- { name: A, command: fail }',
    '- { name: R, command: ok }',
    '- { name: Z, command: fail }',
  ),
  settings: onH1,
  trace: ['A: h1 failed', 'R: h1 changed', 'Z: h1 failed'],
  failed: true,
});

rule('when: the condition of a block also applies to its rescue', {
  text: `
- when: inventory_hostname == "h1"
  block: [{ name: A, command: fail-on h1 }]
  rescue: [{ name: R, command: ok }]
`,
  trace: ['A: h1 failed, h2 h3 skipped', 'R: h1 changed'],
});

rule('loop: runs a block item by item', {
  text: `
- { name: Each, loop: [a, b], block: [{ name: A, command: 'say {{item}}' }, { name: B, command: ok }] }
`,
  settings: onH1,
  trace: [
    'Each: h1[a] h1[b] ok',
    'A: h1 changed',
    'B: h1 changed',
    'A: h1 changed',
    'B: h1 changed',
  ],
});
