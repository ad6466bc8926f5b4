import { fetch } from '../../src/modules/fetch.ts';
import { found, path, sha } from '../helpers/file-facts.ts';
import { absent, testModule } from '../helpers/module-tester.ts';

const missing = { [`file.state ${path}`]: absent, [`file.content ${path}`]: undefined };

const recipient = 'age1xn27zc2wc52sfwsaqwee9jp8e82ewztyumkrtama64fewfgeduqq6ff304';

testModule(fetch, {
  settled: [
    {
      title: 'an optional file does not exist',
      args: { src: path, dest: '/here/', fail_on_missing: false },
      facts: missing,
    },
    {
      title: 'the controller has the same file',
      args: { src: path, dest: '/here/app.conf' },
      facts: { ...found('a'), 'local /here/app.conf': sha('a') },
    },
  ],
  changes: [
    {
      title: 'saves the file in a directory of the host',
      args: { src: path, dest: '/here', flat: false },
      facts: found('a'),
      actions: ['fetch /etc/app.conf -> /here/host1/etc/app.conf on the controller'],
    },
    {
      title: 'saves the file in a directory',
      args: { src: path, dest: '/here/' },
      facts: found('a'),
      actions: ['fetch /etc/app.conf -> /here/app.conf on the controller'],
      restore: [],
    },
    {
      title: 'encrypts for a public key, even if an encrypted file exists',
      args: { src: path, dest: '/here/', encrypt: { recipients: [recipient] } },
      facts: { ...found('a'), 'local /here/app.conf.age': sha('a') },
      actions: ['fetch /etc/app.conf -> /here/app.conf.age on the controller, encrypted'],
    },
    {
      title: 'encrypts with a passphrase and does not append ".age" twice',
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
      title: 'public keys and a passphrase together',
      args: {
        src: path,
        dest: '/here/',
        encrypt: { recipients: [recipient], passphrase: 'eight or more' },
      },
      facts: found('a'),
      code: 'TASK_FAILED',
    },
    {
      title: '"encrypt" without keys and passphrase',
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
      title: 'a link, with its target in the hint',
      args: { src: path, dest: '/here/' },
      facts: found('a', { type: 'link', target: '/etc/real.conf' }),
      code: 'TASK_FAILED',
    },
  ],
});
