import { PassThrough } from 'node:stream';
import { Client, type ClientChannel } from 'ssh2';
import { expect, it } from 'vitest';
import { toShellChannel } from '../../src/transport/ssh.ts';

it('leaves no listener on a connection for a channel that has closed', () => {
  const client = new Client();
  const before = client.listenerCount('close');
  const reasons: string[] = [];
  // Node.js warns in the operator's output from the eleventh on.
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
