import { connect } from 'node:net';
import { eventually } from '../eventually.ts';

/**
 * Waits until an SSH server sends its greeting.
 * @throws Error with the text of `log` when there is no greeting within the limit
 */
export async function answers(address: string, port: number, log: () => string): Promise<void> {
  const greeted = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, address);
      socket.once('data', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
      socket.once('close', () => {
        resolve(false);
      });
    });
  await eventually(greeted).catch((cause: unknown) => {
    throw new Error(`sshd on ${address} did not start: ${log()}`, { cause });
  });
}
