import { ConnectError } from '../core/errors.ts';
import { quoteAll } from '../util/shell.ts';
import { firstReason, type ShellChannel } from './line.ts';

type Open = (command: string, options?: { terminal?: boolean }) => Promise<ShellChannel>;

export interface TerminalChannel {
  /** The program's own streams, clean of what a terminal does to bytes. */
  channel: ShellChannel;
  /** The terminal it was started on, where it may ask for a password. */
  terminal: ShellChannel;
}

const ANNOUNCE = 'runner-pipes ';
const PIPES_TIMEOUT_MS = 15_000;

/** Makes pipes in a folder of the login user, says where, and joins them to its own streams until the program ends. */
const relay = `umask 077
d=$(mktemp -d) && mkfifo "$d/in" "$d/out" "$d/err" || exit 1
echo "${ANNOUNCE}$d"
cat "$d/err" >&2 &
cat "$d/out" &
cat >"$d/in"
rm -rf "$d"`;

/**
 * Starts a program on a terminal but with its streams on pipes: for a sudo with "requiretty", and for doas, which asks
 * on the terminal only. Takes two sessions.
 */
export async function openOnTerminal(
  host: string,
  open: Open,
  argv: readonly string[],
): Promise<TerminalChannel> {
  const pipes = await open(quoteAll(['/bin/sh', '-c', relay]));
  const folder = await announced(host, pipes);
  // The shell stays and holds the terminal: were it let go before the program asks for it, sshd would take it away.
  const start = 'stty -echo 2>/dev/null; "$@" <"$0/in" >"$0/out" 2>"$0/err"; exit "$?"';
  const terminal = await open(quoteAll(['/bin/sh', '-c', start, folder, ...argv]), {
    terminal: true,
  });
  // What nobody reads would stop it.
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
      // The pipes end after the program, so that its last words are heard.
      terminal.onClose((reason) => setTimeout(once, 500, reason));
      pipes.onClose(once);
    },
    destroy,
  };
  return { channel, terminal };
}

function announced(host: string, pipes: ShellChannel): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const fail = (reason: string) => {
      clearTimeout(timer);
      pipes.destroy();
      reject(
        new ConnectError(`No pipes could be made on "${host}": ${reason}.`, {
          host,
          stage: 'become',
          retryable: false,
          hint: 'The login user needs a folder for temporary files, and mkfifo.',
        }),
      );
    };
    const timer = setTimeout(() => {
      fail('no answer');
    }, PIPES_TIMEOUT_MS);
    const listen = (chunk: Buffer) => {
      heard += chunk.toString('utf8');
      const folder = new RegExp(`${ANNOUNCE}(.+)\n`).exec(heard)?.[1];
      if (folder === undefined) return;
      clearTimeout(timer);
      pipes.stdout.off('data', listen);
      resolve(folder);
    };
    pipes.stdout.on('data', listen);
    pipes.onClose(fail);
  });
}
