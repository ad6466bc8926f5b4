import { ConnectError } from '../core/errors.ts';
import { quoteAll } from '../util/shell.ts';
import { firstReason, type ShellChannel } from './line.ts';

type Open = (command: string, options?: { terminal?: boolean }) => Promise<ShellChannel>;

export interface TerminalChannel {
  /** The program's streams, which the terminal does not modify. */
  channel: ShellChannel;
  /** The terminal on which the program was started and prompts for a password. */
  terminal: ShellChannel;
}

const ANNOUNCE = 'runner-pipes ';
const PIPES_TIMEOUT_MS = 15_000;

/** Creates named pipes in a directory of the login user, prints the directory, and relays its own streams to the pipes. */
const relay = `umask 077
d=$(mktemp -d) && mkfifo "$d/in" "$d/out" "$d/err" || exit 1
echo "${ANNOUNCE}$d"
cat "$d/err" >&2 &
cat "$d/out" &
cat >"$d/in"
rm -rf "$d"`;

/**
 * Starts a program on a terminal, with its streams connected to pipes: for sudo with "requiretty", and for doas, which
 * prompts only on a terminal. Needs two sessions.
 */
export async function openOnTerminal(
  host: string,
  open: Open,
  argv: readonly string[],
): Promise<TerminalChannel> {
  const pipes = await open(quoteAll(['/bin/sh', '-c', relay]));
  const directory = await announced(host, pipes);
  // The shell keeps the terminal open: without it, sshd would close the terminal before the program opens it.
  const start = 'stty -echo 2>/dev/null; "$@" <"$0/in" >"$0/out" 2>"$0/err"; exit "$?"';
  const terminal = await open(quoteAll(['/bin/sh', '-c', start, directory, ...argv]), {
    terminal: true,
  });
  // Discard the terminal output, so that a full buffer does not block the program.
  terminal.stdout.resume();
  terminal.stderr.resume();
  const destroy = () => {
    terminal.destroy();
    pipes.destroy();
  };
  const channel: ShellChannel = {
    stdin: pipes.stdin,
    stdout: pipes.stdout,
    stderr: pipes.stderr,
    onClose(listener) {
      const once = firstReason((reason) => {
        listener(reason);
        destroy();
      });
      // Wait for the pipes, which deliver the last output after the program has ended.
      terminal.onClose((reason) => setTimeout(once, 500, reason));
      pipes.onClose(once);
    },
    destroy,
  };
  return { channel, terminal };
}

function announced(host: string, pipes: ShellChannel): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const fail = (reason: string) => {
      clearTimeout(timer);
      pipes.destroy();
      reject(
        new ConnectError(`Cannot create named pipes on "${host}": ${reason}.`, {
          host,
          stage: 'become',
          retryable: false,
          hint: 'The login user needs a writable directory for temporary files, and mkfifo.',
        }),
      );
    };
    const timer = setTimeout(() => {
      fail('no answer');
    }, PIPES_TIMEOUT_MS);
    const listen = (chunk: Buffer) => {
      received += chunk.toString('utf8');
      const directory = new RegExp(`${ANNOUNCE}(.+)\n`).exec(received)?.[1];
      if (directory === undefined) return;
      clearTimeout(timer);
      pipes.stdout.off('data', listen);
      resolve(directory);
    };
    pipes.stdout.on('data', listen);
    pipes.onClose(fail);
  });
}
