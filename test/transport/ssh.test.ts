import { PassThrough } from 'node:stream';
import { Client, type ClientChannel } from 'ssh2';
import { expect, it } from 'vitest';
import { toShellChannel } from '../../src/transport/ssh.ts';

it('removes the listener of a closed channel from its connection', () => {
  const client = new Client();
  const before = client.listenerCount('close');
  const reasons: string[] = [];
  // From the eleventh listener on, Node.js would print a warning.
  for (let number = 0; number < 20; number++) {
    const channel = Object.assign(new PassThrough(), { stderr: new PassThrough() });
    const shell = toShellChannel(channel as unknown as ClientChannel, client);
    shell.onClose((reason) => reasons.push(reason));
    channel.emit('exit', 0);
    channel.emit('close');
    expect(client.listenerCount('close')).toBe(before);
  }
  expect(reasons).toHaveLength(20);
});
