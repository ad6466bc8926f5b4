import { createHash } from 'node:crypto';
import { authorized_key } from '../../src/modules/authorized_key.ts';
import { eva } from '../helpers/account-facts.ts';
import { absent, fileFact, testModule } from '../helpers/module-tester.ts';

const sum = (text: string) => createHash('sha256').update(text).digest('hex');

const key = 'ssh-ed25519 AAAAC3Nza eva@laptop';

const other = 'from="10.0.0.0/8" ssh-rsa AAAAB3 max';

const path = '/home/eva/.ssh/authorized_keys';

const keyFacts = (
  text: string | undefined,
  directory = fileFact({ type: 'directory', mode: '0700', uid: 1001, gid: 1001 }),
) => ({
  'account.user eva': eva,
  'file.state /home/eva/.ssh': directory,
  [`file.content ${path}`]: text === undefined ? undefined : Buffer.from(text),
  [`file.state ${path}`]: text === undefined ? absent : fileFact({ checksum: sum(text) }),
});

testModule(authorized_key, {
  settled: [
    { title: 'the key exists', args: { user: 'eva', key }, facts: keyFacts(`${other}\n${key}\n`) },
    {
      title: 'the key exists with another comment',
      args: { user: 'eva', key: `${key}-2` },
      facts: keyFacts(`${key}\n`),
    },
    {
      title: 'a key to remove does not exist',
      args: { user: 'eva', key, state: 'absent' },
      facts: keyFacts(`# ours\n${other}\n`),
    },
  ],
  changes: [
    {
      title: 'creates the directory and the file',
      args: { user: 'eva', key },
      facts: keyFacts(undefined, absent),
      actions: [
        'mkdir /home/eva/.ssh',
        'chown 1001:1001 /home/eva/.ssh',
        'chmod 0700 /home/eva/.ssh',
        `write ${path} mode 0600`,
      ],
      restore: [
        { module: 'restore_path', args: { path, state: 'absent' } },
        { module: 'restore_path', args: { path: '/home/eva/.ssh', state: 'absent' } },
      ],
    },
    {
      title: 'changes the options of the key and removes other keys',
      args: { user: 'eva', key: 'ssh-rsa AAAAB3 max', exclusive: true },
      facts: keyFacts(`# ours\n${key}\n${other}\n`),
      actions: [`write ${path}`],
    },
    {
      title: 'removes a key and keeps the others',
      args: { user: 'eva', key, state: 'absent' },
      facts: keyFacts(`${key}\n${other}\n`),
      actions: [`write ${path}`],
    },
  ],
  refused: [
    {
      title: 'text that is not a public key',
      args: { user: 'eva', key: 'hello' },
      facts: keyFacts(''),
      code: 'TASK_FAILED',
    },
    {
      title: 'a user that does not exist',
      args: { user: 'eva', key },
      facts: { 'account.user eva': undefined },
      code: 'TASK_FAILED',
    },
  ],
});
