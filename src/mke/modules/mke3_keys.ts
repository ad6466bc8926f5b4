import { TaskError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { HostFacts, Module } from '../../core/module.ts';
import { containers, type Container } from '../../facts/container.ts';
import { fileContent } from '../../facts/file.ts';
import {
  apiAudiences,
  encryptionProblems,
  flagValues,
  K0S_ISSUER,
  pathOnHost,
  publicKeys,
  sha256,
} from '../key-files.ts';

const APISERVER = 'ucp-kube-apiserver';
const MANAGER = 'ucp-kube-controller-manager';

/** The role k0s_controller copies the file to this path. The k0s kube-apiserver cannot read other directories. */
const ENCRYPTION = '/var/lib/k0s/encryption.cfg';
const K0S_ETCD_PREFIX = '/registry';

export const mke3_keys: Module<unknown> = {
  name: 'mke3_keys',
  summary:
    'Find and check the Kubernetes keys on an MKE 3 manager, using the flags of its running containers.',
  args: { type: 'object', properties: {}, additionalProperties: false },
  effect: 'reads',

  async plan(_args, { host }) {
    const found = await host.fact(
      containers,
      JSON.stringify(['docker']),
      JSON.stringify([`name=^/${APISERVER}$`, `name=^/${MANAGER}$`]),
    );
    const apiserver = componentOf(found, APISERVER, host);
    const manager = componentOf(found, MANAGER, host);
    const problems: string[] = [];
    const read: ReadFlagFile = async (component, flag, path) => {
      const file = await fileOf(host, component, path);
      if (typeof file !== 'string') return file;
      problems.push(`--${flag} of ${component.name}: ${file}`);
      return { path: '', text: '' };
    };
    const accounts = await accountKeys(apiserver, manager, read);
    if (accounts.problem !== undefined) problems.push(accounts.problem);
    const encryption = await encryptionConfig(apiserver, read);
    if (encryption !== undefined && encryption.path !== '')
      for (const problem of encryptionProblems(encryption.text))
        problems.push(`${encryption.path}: ${problem}`);
    const issuers = apiserver.flags.get('service-account-issuer') ?? [];
    if (issuers.length > 1)
      problems.push(
        `${APISERVER} accepts tokens of ${String(issuers.length)} issuers (${issuers.join(', ')}), but k0s accepts one`,
      );
    if (problems.length > 0)
      throw new TaskError(`The MKE 3 keys cannot be copied to k0s: ${problems.join('; ')}.`, {
        hint: `Check the flags and mounts with "docker inspect ${APISERVER}".`,
      });
    return {
      actions: [],
      result: {
        signing_key: accounts.signing.path,
        signing_key_sha256: sha256(accounts.signing.text),
        public_keys: accounts.publicKeys,
        encryption: encryption?.path ?? '',
        encryption_sha256: encryption === undefined ? '' : sha256(encryption.text),
        api_args: apiArgs(apiserver.flags, encryption !== undefined),
      },
    };
  },
};

/** Reads the file that a flag names. If that fails, records a problem and returns an empty file. */
type ReadFlagFile = (component: Component, flag: string, path: string) => Promise<HostFile>;

/** Reads the service account keys. @throws TaskError if no component names one */
async function accountKeys(
  apiserver: Component,
  manager: Component,
  read: ReadFlagFile,
): Promise<{ signing: HostFile; publicKeys: string; problem?: string }> {
  const [signingPath] =
    apiserver.flags.get('service-account-signing-key-file') ??
    manager.flags.get('service-account-private-key-file') ??
    [];
  const signingOf = apiserver.flags.has('service-account-signing-key-file') ? apiserver : manager;
  if (signingPath === undefined)
    throw new TaskError(
      `Neither ${APISERVER} nor ${MANAGER} has a flag for the service account key.`,
    );
  const signing = await read(signingOf, 'service-account-signing-key-file', signingPath);
  const verifying: string[] = [];
  for (const path of apiserver.flags.get('service-account-key-file') ?? [])
    verifying.push((await read(apiserver, 'service-account-key-file', path)).text);
  if (signing.text === '') return { signing, publicKeys: '' };
  try {
    return { signing, publicKeys: publicKeys(signing.text, verifying) };
  } catch {
    return { signing, publicKeys: '', problem: 'a service account key is not valid PEM' };
  }
}

/** The configuration of encryption at rest; undefined if it is off. */
async function encryptionConfig(
  apiserver: Component,
  read: ReadFlagFile,
): Promise<HostFile | undefined> {
  const [path] = apiserver.flags.get('encryption-provider-config') ?? [];
  return path === undefined ? undefined : read(apiserver, 'encryption-provider-config', path);
}

/** Flags that make the k0s kube-apiserver read the data of MKE 3 and accept its tokens. */
function apiArgs(flags: Map<string, string[]>, encrypted: boolean): JsonObject {
  const issuer = flags.get('service-account-issuer')?.[0] ?? K0S_ISSUER;
  const given = flags.get('api-audiences')?.flatMap((one) => one.split(','));
  const audiences = apiAudiences(issuer, given);
  const prefix = flags.get('etcd-prefix')?.[0] ?? K0S_ETCD_PREFIX;
  return {
    'service-account-issuer': issuer,
    ...(encrypted ? { 'encryption-provider-config': ENCRYPTION } : {}),
    ...(audiences === undefined ? {} : { 'api-audiences': audiences }),
    ...(prefix === K0S_ETCD_PREFIX ? {} : { 'etcd-prefix': prefix }),
  };
}

interface Component {
  name: string;
  flags: Map<string, string[]>;
  mounts: JsonObject[];
}

interface HostFile {
  path: string;
  text: string;
}

function componentOf(found: readonly Container[], name: string, host: HostFacts): Component {
  const container = found.find((one) => one.name === name);
  if (container === undefined)
    throw new TaskError(`"${host.name}" has no container "${name}".`, {
      hint: 'Every MKE 3 manager runs this container. Check "docker ps -a" and the health of the node.',
    });
  const { Args: args, Mounts: mounts } = container.inspected;
  return {
    name,
    flags: flagValues(Array.isArray(args) ? args.map(String) : []),
    mounts: Array.isArray(mounts) ? mounts.filter(isJsonObject) : [],
  };
}

/** The file, or why it cannot be used. */
async function fileOf(
  host: HostFacts,
  { mounts }: Component,
  path: string,
): Promise<HostFile | string> {
  const onHost = pathOnHost(path, mounts);
  if (onHost === undefined) return `"${path}" is not in a volume of the container`;
  const content = await host.fact(fileContent, onHost);
  if (content === undefined) return `"${onHost}" does not exist`;
  if (content.length === 0) return `"${onHost}" is empty`;
  return { path: onHost, text: content.toString('utf8') };
}
