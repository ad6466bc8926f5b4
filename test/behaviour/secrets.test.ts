import { rulesOf } from '../helpers/behaviour.ts';

const rule = rulesOf('secrets');

rule('no_log: is inherited, and hides output', {
  text: '- { name: P, hosts: h1, no_log: true, tasks: [{ name: A, command: say secret-thing }] }',
  trace: ['A: h1 changed'],
  never: 'secret-thing',
});

rule('vault: reads and writes files and values in the format of ansible-vault', {
  seen: ['test/lab/vault.test.ts', 'encrypts, views, edits, rekeys and decrypts a file'],
});

rule('secrets: their values are masked in all output', {
  seen: [
    'test/lab/vault.test.ts',
    'are decrypted on the host and masked in the output and in the recorded run',
  ],
});
