import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * Waits until an SSH server has greeted.
 * @throws Error with what `log` says when it does not come up within 5 s
 */
export async function answers(
  address: string,
  port: number,
  log: () => string = () => '',
): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, address);
      socket.once('data', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
    if (open) return;
    await wait(25);
  }
  throw new Error(`sshd on ${address} did not come up: ${log()}`);
}
