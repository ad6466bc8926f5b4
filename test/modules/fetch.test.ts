import { fetch } from '../../src/modules/fetch.ts';
import { found, path, sha } from '../helpers/file-facts.ts';
import { absent, testModule } from '../helpers/module-tester.ts';

const missing = { [`file.state ${path}`]: absent, [`file.content ${path}`]: undefined };

const recipient = 'age1xn27zc2wc52sfwsaqwee9jp8e82ewztyumkrtama64fewfgeduqq6ff304';

testModule(fetch, {
  settled: [
    {
      title: 'a file that need not be there',
      args: { src: path, dest: '/here/', fail_on_missing: false },
      facts: missing,
    },
    {
      title: 'the same file is here',
      args: { src: path, dest: '/here/app.conf' },
      facts: { ...found('a'), 'local /here/app.conf': sha('a') },
    },
  ],
  changes: [
    {
      title: 'each host into a folder of its own',
      args: { src: path, dest: '/here', flat: false },
      facts: found('a'),
      actions: ['fetch /etc/app.conf -> /here/host1/etc/app.conf on the controller'],
    },
    {
      title: 'saves into a folder',
      args: { src: path, dest: '/here/' },
      facts: found('a'),
      actions: ['fetch /etc/app.conf -> /here/app.conf on the controller'],
      restore: [],
    },
    {
      title: 'encrypts for a public key, also when an encrypted file is there',
      args: { src: path, dest: '/here/', encrypt: { recipients: [recipient] } },
      facts: { ...found('a'), 'local /here/app.conf.age': sha('a') },
      actions: ['fetch /etc/app.conf -> /here/app.conf.age on the controller, encrypted'],
    },
    {
      title: 'encrypts with a passphrase, and keeps a name that ends in ".age"',
      args: { src: path, dest: '/here/x.age', encrypt: { passphrase: 'eight or more' } },
      facts: found('a'),
      actions: ['fetch /etc/app.conf -> /here/x.age on the controller, encrypted'],
    },
  ],
  refused: [
    {
      title: 'a damaged public key',
      args: { src: path, dest: '/here/', encrypt: { recipients: [recipient.replace('q', 'p')] } },
      facts: found('a'),
      code: 'TASK_FAILED',
    },
    {
      title: 'two ways to encrypt',
      args: {
        src: path,
        dest: '/here/',
        encrypt: { recipients: [recipient], passphrase: 'eight or more' },
      },
      facts: found('a'),
      code: 'TASK_FAILED',
    },
    {
      title: 'no way to encrypt',
      args: { src: path, dest: '/here/', encrypt: {} },
      facts: found('a'),
      code: 'TASK_FAILED',
    },
    {
      title: 'an empty passphrase',
      args: { src: path, dest: '/here/', encrypt: { passphrase: '' } },
      code: 'SCHEMA',
    },
    {
      title: 'a missing file',
      args: { src: path, dest: '/here/' },
      facts: missing,
      code: 'TASK_FAILED',
    },
    {
      title: 'a link, naming what it points at',
      args: { src: path, dest: '/here/' },
      facts: found('a', { type: 'link', target: '/etc/real.conf' }),
      code: 'TASK_FAILED',
    },
  ],
});
