import { createHash } from 'node:crypto';
import type { Module } from '../../src/core/module.ts';
import { absent, fakeHost, fileFact } from './module-tester.ts';

export const path = '/etc/app.conf';

export const sha = (text: string) => createHash('sha256').update(text).digest('hex');

export const found = (text: string, file = path) => ({
  [`file.state ${file}`]: fileFact({ checksum: sha(text) }),
  [`file.content ${file}`]: Buffer.from(text),
});

export const missing = (file = path) => ({
  [`file.state ${file}`]: absent,
  [`file.content ${file}`]: undefined,
});

/** The text that a module would write. */
export async function written<A>(module: Module<A>, args: A, text: string): Promise<string> {
  const { actions } = await module.plan(args, fakeHost({ facts: found(text) }));
  const [action] = actions;
  if (action?.kind !== 'write') throw new Error('The plan does not write a file.');
  return action.content;
}
