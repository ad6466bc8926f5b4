import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('secrets');

rule('no_log: inherited, hides what is said', {
  text: '- { name: P, hosts: h1, no_log: true, tasks: [{ name: A, command: say secret-thing }] }',
  trace: ['A: h1 changed'],
  never: 'secret-thing',
});

rule('vault: files and values, read and written as ansible-vault does', {
  seen: ['test/lab/vault.test.ts', 'encrypts, views, edits, rekeys and decrypts a file'],
});

rule('secrets: masked by value wherever they come up', {
  seen: [
    'test/lab/vault.test.ts',
    'are decrypted on the host and masked in the output and in the recorded run',
  ],
});
