import type { HostPath } from './host-path.ts';

/**
 * What a module wants done, as data: journaled before it is sent, printed by `runner plan`, compared in tests.
 * Paths are absolute paths on the host. Modes are octal strings such as "0644".
 */
export type Action =
  | ExecAction
  | WriteAction
  | { kind: 'mkdir'; path: string }
  | { kind: 'remove'; path: string }
  | { kind: 'symlink'; path: string; target: string }
  | { kind: 'chmod'; path: string; mode: string; recurse?: boolean }
  | { kind: 'chown'; path: string; owner?: string; group?: string; recurse?: boolean }
  | CopyAction
  | { kind: 'http'; request: HttpRequest }
  | UploadAction
  | RebootAction
  | DownloadAction
  | FetchAction;

/** A path of the host at another place on it. */
export interface CopyAction {
  kind: 'copy';
  from: HostPath;
  path: string;
  /** The content of a file only, otherwise as `write`. Left out, all that is at `from`, as it is there. */
  contentOnly?: true;
  mode?: string;
  owner?: string;
  group?: string;
  validate?: string;
}

/** Copies a file of the host to the controller, mode 0600. */
export interface FetchAction {
  kind: 'fetch';
  path: string;
  to: string;
  /** SHA-256 in hex that the bytes must have. Left out, it is the first word that the action before said. */
  checksum?: string;
  /** Only encrypted bytes reach the disk of the controller. */
  encrypt?: FileEncryption;
}

/** Who can read a file in the format age: the owners of these public keys, or whoever knows the passphrase. */
export type FileEncryption = { recipients: readonly string[] } | { passphrase: string };

export interface ExecAction {
  kind: 'exec';
  argv: string[];
  stdin?: string;
  cwd?: string;
  env?: Record<string, string>;
  /** It is no change by itself, such as reading package lists again. */
  counts?: false;
}

/** Writes to a temporary name beside the target, sets owner and mode, then renames. */
export interface WriteAction {
  kind: 'write';
  path: string;
  /** Base64 when `encoding` says so, text otherwise. */
  content: string;
  encoding?: 'base64';
  mode?: string;
  owner?: string;
  group?: string;
  /** Command that must accept the new file, with %s for its temporary name. */
  validate?: string;
}

/** A file that the host fetches itself; otherwise as `write`. */
export interface DownloadAction {
  kind: 'download';
  path: string;
  url: string;
  timeoutSeconds: number;
  /** Sum in hex that the file must have, by the coreutils program ALGORITHMsum. */
  checksum?: { algorithm: string; sum: string };
  headers?: Record<string, string>;
  login?: { user: string; password: string };
  /** Accept any certificate. */
  insecure?: boolean;
  mode?: string;
  owner?: string;
  group?: string;
}

/** Restarts the host and waits until it is up with another boot id. Alone in its batch. */
export interface RebootAction {
  kind: 'reboot';
  argv: string[];
  /** The boot id that must go. */
  boot: string;
  /** Must succeed once the host answers again. */
  test: string[];
  timeoutSeconds: number;
  /** Pause between the order and the first look. */
  delaySeconds?: number;
}

/** A large file of the controller, streamed to the host; otherwise as `write`. */
export interface UploadAction {
  kind: 'upload';
  path: string;
  /** File on the controller. */
  from: string;
  /** Bytes. */
  size: number;
  /** SHA-256 in hex. */
  checksum: string;
  mode?: string;
  owner?: string;
  group?: string;
  validate?: string;
}

/** Sent by the controller, not by the host. */
export interface HttpRequest {
  method: HttpMethod;
  url: string;
  headers?: Record<string, string>;
  body?: string;
  /** PEM of the authority that must have signed the server's certificate. */
  ca?: string;
  /** PEM of the certificate that shows who asks, and of its key; both may be in one. */
  clientCertificate?: { cert: string; key: string };
  /** Accept any certificate. */
  insecure?: boolean;
  /** Socket of the controller at which the server listens; the URL's host is then a header only. */
  socket?: string;
  /** Whether answers that point elsewhere are followed: those to GET and HEAD, or all. Default: none. */
  redirects?: 'safe' | 'all';
  /** Statuses that are success, where it is an action. Default: 200 to 299. */
  accept?: number[];
  /** For the whole of it, redirects included. */
  timeoutMs: number;
}

export const httpMethods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type HttpMethod = (typeof httpMethods)[number];

export interface HttpResponse {
  /** Of the last of several, where redirects were followed. */
  url?: string;
  status: number;
  body: string;
  headers: Record<string, string>;
}

/** Every kind of action, for what is not checked by the compiler. */
export const actionKinds: readonly Action['kind'][] = [
  'exec',
  'write',
  'mkdir',
  'remove',
  'symlink',
  'chmod',
  'chown',
  'copy',
  'http',
  'upload',
  'reboot',
  'download',
  'fetch',
];

export function exec(...argv: string[]): ExecAction {
  return { kind: 'exec', argv };
}

/** One line for a person; contents are left out. */
export function describeAction(action: Action): string {
  switch (action.kind) {
    case 'exec':
      return `exec ${action.argv.join(' ')}`;
    case 'write':
      return `write ${action.path}${action.mode ? ` mode ${action.mode}` : ''}`;
    case 'mkdir':
    case 'remove':
      return `${action.kind} ${action.path}`;
    case 'symlink':
      return `symlink ${action.path} -> ${action.target}`;
    case 'chmod':
      return `chmod ${action.mode} ${action.path}`;
    case 'chown':
      return `chown ${action.owner ?? ''}${action.group ? `:${action.group}` : ''} ${action.path}`;
    case 'copy':
      return `copy ${sourceText(action.from)} -> ${action.path}${action.mode ? ` mode ${action.mode}` : ''}`;
    case 'upload':
      return `upload ${action.from} -> ${action.path}${action.mode ? ` mode ${action.mode}` : ''}`;
    case 'fetch':
      return `fetch ${action.path} -> ${action.to} on the controller${action.encrypt ? ', encrypted' : ''}`;
    case 'download':
      return `download ${action.url} -> ${action.path}${action.mode ? ` mode ${action.mode}` : ''}`;
    case 'reboot':
      return `restart the host: ${action.argv.at(-1)?.split('\n').at(-1) ?? ''}`;
    case 'http':
      return `http ${action.request.method} ${action.request.url}`;
  }
}

function sourceText(from: HostPath): string {
  return typeof from === 'string' ? from : `the copy of ${from.copyOf}`;
}
