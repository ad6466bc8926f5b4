import { createHash } from 'node:crypto';
import type { PathAttributes } from '../../src/facts/file.ts';
import { absent, fileFact } from './module-tester.ts';

export const sha = (text: string) => createHash('sha256').update(text).digest('hex');

export const path = '/etc/app.conf';

export const found = (text: string, extra = {}) => ({
  [`file.state ${path}`]: fileFact({ checksum: sha(text), ...extra }),
  [`file.content ${path}`]: Buffer.from(text),
});

/** A file with this text, or a missing file. */
export const fileOf = (at: string, text: string | undefined) => ({
  [`file.state ${at}`]: text === undefined ? absent : fileFact({ checksum: sha(text) }),
  [`file.content ${at}`]: text === undefined ? undefined : Buffer.from(text),
});

/** The call that restores a file from its copy. */
export const restoredFile = (at: string, text: string) => ({
  module: 'restore_path',
  args: {
    path: at,
    state: 'file',
    mode: '0644',
    owner: 'root',
    group: 'root',
    copy: `/captured${at}`,
    checksum: sha(text),
  },
});

export const restored = (text: string) => restoredFile(path, text);

export const there = (more: object = {}) => ({
  ...{
    type: 'file',
    mode: '0644',
    checksum: sha('new'),
    target: '',
    owner: 'root',
    group: 'root',
    uid: '0',
    gid: '0',
  },
  ...more,
});

export function attributes(at: string, more: object = {}): PathAttributes {
  const all = {
    path: at,
    type: 'other',
    mode: '0644',
    uid: 0,
    gid: 0,
    owner: 'root',
    group: 'root',
  };
  return { ...all, ...more } as PathAttributes;
}

export const kept = (file: string | undefined) => ({
  'file.state /srv/a': fileFact({ type: 'directory' }),
  'file.tree /srv/a': 'tree',
  'file.state /etc/a.conf': fileFact({ checksum: sha('a') }),
  'file.tree /etc/a.conf': undefined,
  ...(file === undefined ? {} : { [`local ${file}`]: sha('archive') }),
});
