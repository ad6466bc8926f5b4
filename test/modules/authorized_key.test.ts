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
  folder = fileFact({ type: 'directory', mode: '0700', uid: 1001, gid: 1001 }),
) => ({
  'account.user eva': eva,
  'file.state /home/eva/.ssh': folder,
  [`file.content ${path}`]: text === undefined ? undefined : Buffer.from(text),
  [`file.state ${path}`]: text === undefined ? absent : fileFact({ checksum: sum(text) }),
});

testModule(authorized_key, {
  settled: [
    { title: 'is there', args: { user: 'eva', key }, facts: keyFacts(`${other}\n${key}\n`) },
    {
      title: 'is there under another comment',
      args: { user: 'eva', key: `${key}-2` },
      facts: keyFacts(`${key}\n`),
    },
    {
      title: 'is not there',
      args: { user: 'eva', key, state: 'absent' },
      facts: keyFacts(`# ours\n${other}\n`),
    },
  ],
  changes: [
    {
      title: 'makes folder and file',
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
      title: 'changes options, and removes other keys',
      args: { user: 'eva', key: 'ssh-rsa AAAAB3 max', exclusive: true },
      facts: keyFacts(`# ours\n${key}\n${other}\n`),
      actions: [`write ${path}`],
    },
    {
      title: 'removes a key',
      args: { user: 'eva', key, state: 'absent' },
      facts: keyFacts(`${key}\n${other}\n`),
      actions: [`write ${path}`],
    },
  ],
  refused: [
    {
      title: 'what is no key',
      args: { user: 'eva', key: 'hello' },
      facts: keyFacts(''),
      code: 'TASK_FAILED',
    },
    {
      title: 'a user who is not there',
      args: { user: 'eva', key },
      facts: { 'account.user eva': undefined },
      code: 'TASK_FAILED',
    },
  ],
});
