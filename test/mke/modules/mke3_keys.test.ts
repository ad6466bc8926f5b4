import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { mke3_keys } from '../../../src/mke/modules/mke3_keys.ts';
import { encryptionProblems, flagValues, pathOnHost } from '../../../src/mke/key-files.ts';
import { fakeHost } from '../../helpers/module-tester.ts';

const pair = (type: 'ec' | 'rsa'): { privateKey: string; publicKey: string } => {
  const { privateKey: key, publicKey: verifying } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: verifying.export({ type: 'spki', format: 'pem' }).toString(),
  };
};
const { privateKey, publicKey } = pair('rsa');
const encryption = (bytes: number, provider = 'aescbc') =>
  `kind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - ${provider}:\n      keys: [{ name: key, secret: ${Buffer.alloc(bytes, 7).toString('base64')} }]\n  - identity: {}\n`;

const CERTS = '/srv/docker/volumes/ucp-node-certs/_data';
const mounts = [
  { Source: '/srv', Destination: '/' },
  { Source: CERTS, Destination: '/etc/docker/ssl' },
];
const API_FLAGS = [
  '--service-account-key-file=/etc/docker/ssl/sa.pub',
  '--service-account-signing-key-file=/etc/docker/ssl/sa.key',
  '--encryption-provider-config=/etc/docker/ssl/encryption.cfg',
];

/** The module's result on a manager with these kube-apiserver flags and these files in the certificate volume. */
async function keysOf(
  flags: readonly string[],
  files: Record<string, string> = {},
  ofManager = ['--service-account-private-key-file=/etc/docker/ssl/sa.key'],
) {
  const container = (name: string, args: readonly string[]) => ({
    name,
    inspected: { Args: ['kube', ...args], Mounts: mounts },
  });
  const all = {
    'sa.key': privateKey,
    'sa.pub': publicKey,
    'encryption.cfg': encryption(32),
    ...files,
  };
  const host = fakeHost({
    facts: {
      'container.list ["docker"] ["name=^/ucp-kube-apiserver$","name=^/ucp-kube-controller-manager$"]':
        [
          container('ucp-kube-apiserver', flags),
          container('ucp-kube-controller-manager', ofManager),
        ],
      ...Object.fromEntries(
        Object.entries(all).map(([name, text]) => [
          `file.content ${CERTS}/${name}`,
          Buffer.from(text),
        ]),
      ),
    },
  });
  const { result } = await mke3_keys.plan({}, host);
  return result as Record<string, unknown>;
}

describe('mke3_keys', () => {
  it('resolves the files that kube-apiserver flags name to paths on the host', async () => {
    expect(await keysOf(API_FLAGS)).toMatchObject({
      signing_key: `${CERTS}/sa.key`,
      public_keys: publicKey,
      encryption: `${CERTS}/encryption.cfg`,
      api_args: {
        'service-account-issuer': 'https://kubernetes.default.svc',
        'encryption-provider-config': '/var/lib/k0s/encryption.cfg',
      },
    });
  });

  it('returns neither the private key nor the encryption key', async () => {
    const shown = JSON.stringify(await keysOf(API_FLAGS));
    expect(shown).not.toContain('PRIVATE KEY');
    expect(shown).not.toContain(Buffer.alloc(32, 7).toString('base64'));
  });

  it('derives the public key, and keeps public keys for older tokens', async () => {
    const older = pair('ec').publicKey;
    expect(await keysOf([API_FLAGS[1] ?? ''], { 'sa.pub': '' })).toMatchObject({
      public_keys: publicKey,
      encryption: '',
      api_args: { 'service-account-issuer': 'https://kubernetes.default.svc' },
    });
    const two = [...API_FLAGS, '--service-account-key-file=/etc/docker/ssl/old.pub'];
    expect((await keysOf(two, { 'old.pub': older }))['public_keys']).toBe(publicKey + older);
  });

  it('uses the key of the controller manager if kube-apiserver has no signing key', async () => {
    expect(await keysOf(['--service-account-key-file=/etc/docker/ssl/sa.pub'])).toMatchObject({
      signing_key: `${CERTS}/sa.key`,
    });
    await expect(keysOf([], {}, [])).rejects.toThrow('has a flag for the service account key');
  });

  it('keeps the issuer, the audiences and the etcd prefix', async () => {
    const { api_args: args } = await keysOf([
      ...API_FLAGS,
      '--service-account-issuer=https://mke.example.com',
      '--etcd-prefix=/mke',
    ]);
    expect(args).toMatchObject({
      'service-account-issuer': 'https://mke.example.com',
      'api-audiences':
        'https://kubernetes.default.svc,system:konnectivity-server,https://mke.example.com',
      'etcd-prefix': '/mke',
    });
  });

  it.each<[string, string[], Record<string, string>, RegExp]>([
    [
      'an encryption key of 34 bytes',
      [],
      { 'encryption.cfg': encryption(34) },
      /key "key" of provider "aescbc" has 34 bytes, expected 16 or 24 or 32/,
    ],
    ['a KMS provider', [], { 'encryption.cfg': encryption(32, 'kms') }, /provider "kms"/],
    ['an empty file', [], { 'encryption.cfg': '' }, /encryption\.cfg" is empty/],
    ['a key that is not PEM', [], { 'sa.key': 'service account key' }, /not valid PEM/],
    [
      'a file outside its volumes',
      ['--encryption-provider-config=relative.cfg'],
      {},
      /not in a volume/,
    ],
    [
      'several issuers',
      ['--service-account-issuer=https://a', '--service-account-issuer=https://b'],
      {},
      /2 issuers/,
    ],
  ])('refuses %s', async (_, flags, files, message) => {
    const [first] = flags;
    const name = /^--[^=]+/.exec(first ?? '')?.[0] ?? 'none';
    const kept = API_FLAGS.filter((flag) => !flag.startsWith(name));
    await expect(keysOf([...kept, ...flags], files)).rejects.toThrow(message);
  });
});

describe('flags and mounts of a container', () => {
  it('flagValues() reads values after "=" or in the next argument', () => {
    const flags = flagValues(['kube', '--a=b=c', '--d', 'e', '--f', '--a=g', '-x']);
    expect(Object.fromEntries(flags)).toEqual({ a: ['b=c', 'g'], d: ['e'], f: ['true'] });
  });

  it('pathOnHost() uses the mount with the longest matching path', () => {
    expect(pathOnHost('/etc/docker/ssl/sa.key', mounts)).toBe(`${CERTS}/sa.key`);
    expect(pathOnHost('/etc/docker/ssl-2/x', mounts)).toBe('/srv/etc/docker/ssl-2/x');
    expect(pathOnHost('/etc/x', mounts.slice(1))).toBeUndefined();
  });

  it('encryptionProblems() reports a file that is not an encryption configuration', () => {
    expect(encryptionProblems('a: [')).toEqual(['it is not valid YAML']);
    expect(encryptionProblems('kind: x')).toEqual(['it has no list "resources"']);
    expect(encryptionProblems('resources: [{ providers: [{ secretbox: {} }] }]')).toEqual([
      'its provider "secretbox" has no keys',
    ]);
  });
});
