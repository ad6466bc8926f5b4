import type { HostPath } from './host-path.ts';

/**
 * One change that a module plans, as data. It is journaled before it is sent, printed by `runner plan` and compared in tests.
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

/** Copies or moves a path of the host to another path there. */
export interface CopyAction {
  kind: 'copy';
  from: HostPath;
  path: string;
  /** Copies only the content of a file; the other fields are as for `write`. When undefined, everything at `from` is copied unchanged. */
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
  /** Required SHA-256 in hex. When undefined, it is the first word of the previous action's output. */
  checksum?: string;
  /** Only encrypted bytes reach the disk of the controller. */
  encrypt?: FileEncryption;
}

/** Encryption in the age format: for the owners of these public keys, or with a passphrase. */
export type FileEncryption = { recipients: readonly string[] } | { passphrase: string };

export interface ExecAction {
  kind: 'exec';
  argv: string[];
  stdin?: string;
  cwd?: string;
  env?: Record<string, string>;
  /** It does not count as a change, such as updating the package index. */
  counts?: false;
}

/** Writes to a temporary name beside the target, sets owner and mode, then renames. */
export interface WriteAction {
  kind: 'write';
  path: string;
  /** Base64 if `encoding` is set, otherwise text. */
  content: string;
  encoding?: 'base64';
  mode?: string;
  owner?: string;
  group?: string;
  /** Command that must accept the new file, with %s for its temporary name. */
  validate?: string;
}

/** The host downloads the file; the other fields are as for `write`. */
export interface DownloadAction {
  kind: 'download';
  path: string;
  url: string;
  timeoutSeconds: number;
  /** Required checksum in hex, as computed by the coreutils program ALGORITHMsum. */
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
  /** Boot id before the restart. */
  boot: string;
  /** Must succeed after the host is reachable again. */
  test: string[];
  timeoutSeconds: number;
  /** Pause between the restart command and the first check. */
  delaySeconds?: number;
}

/** Streams a large file of the controller to the host; the other fields are as for `write`. */
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
  /** PEM of the certificate authority for the server's certificate. */
  ca?: string;
  /** PEM of the client certificate and of its key; both may be in one file. */
  clientCertificate?: { cert: string; key: string };
  /** Accept any certificate. */
  insecure?: boolean;
  /** Unix socket of the server on the controller. The host of the URL is then used only as a header. */
  socket?: string;
  /** Which redirects are followed: those of GET and HEAD, or all. Default: none. */
  redirects?: 'safe' | 'all';
  /** Status codes that mean success of an action. Default: 200 to 299. */
  accept?: number[];
  /** Time limit of the whole request, redirects included. */
  timeoutMs: number;
}

export const httpMethods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type HttpMethod = (typeof httpMethods)[number];

export interface HttpResponse {
  /** URL of the last request after redirects. */
  url?: string;
  status: number;
  body: string;
  headers: Record<string, string>;
}

/** Every kind of action, for checks at run time. */
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

/** A one-line description without file contents. */
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
