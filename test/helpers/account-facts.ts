import { ACCOUNT_FILES } from '../../src/facts/account.ts';
import { absent, fileFact } from './module-tester.ts';

export const files = Object.fromEntries(
  ACCOUNT_FILES.map((path) => [
    `file.state ${path}`,
    path === '/etc/passwd' ? fileFact({ checksum: 'ab' }) : absent,
  ]),
);

export const account = (name: string) => ({
  module: 'restore_account',
  args: { name, files: [{ path: '/etc/passwd', copy: '/captured/etc/passwd', checksum: 'ab' }] },
});

export const eva = {
  uid: 1001,
  gid: 1001,
  comment: 'Eva',
  home: '/home/eva',
  shell: '/bin/sh',
  groups: ['eva', 'wheel', 'disk'],
};
