import { createHash } from 'node:crypto';
import type { FileTree } from '../file-tree.ts';
import { nodeNamed, putFile, textAt, type MkeNode } from './cluster.ts';
import { VOLUMES } from './docker-objects.ts';
import { refuse, unknown } from './refusal.ts';

const DATA = `${VOLUMES}/ucp-kv/_data`;
const STORE = `${DATA}/datav3/member/snap/db`;

/**
 * The v3 client for the etcd member of this node. The store is a text file with a revision, keys
 * and values.
 */
export function etcdctl(node: MkeNode, words: readonly string[]): string {
  const { tree } = node.host;
  const { plain, isJson } = parsed(words);
  const [what = '', detail = '', path = ''] = plain;
  const store = textAt(tree, STORE) ?? refuse('Error: context deadline exceeded');
  switch (`${what} ${detail}${isJson ? ' as JSON' : ''}`) {
    case 'endpoint health':
      return 'https://127.0.0.1:2379 is healthy: successfully committed proposal: took = 2ms\n';
    case 'endpoint hashkv as JSON': {
      const held = { header: { member_id: 1 }, hash: sumOf(store), compact_revision: -1 };
      return `${JSON.stringify([{ Endpoint: 'https://127.0.0.1:2379', HashKV: held }])}\n`;
    }
    case 'get /registry':
      return keysOf(store)
        .map((key) => `${key}\n\n`)
        .join('');
    case 'endpoint status as JSON': {
      const status = { version: '3.5.9', header: { revision: revisionOf(store) } };
      const said = {
        Endpoint: 'https://127.0.0.1:2379',
        Status: { ...status, dbSize: store.length },
      };
      return `${JSON.stringify([said])}\n`;
    }
    case 'member list as JSON': {
      const members = managers(node).map(({ hostname, address }) => ({
        ...{ name: hostname, peerURLs: [`https://${address}:12380`] },
      }));
      return `${JSON.stringify({ members })}\n`;
    }
    case 'member list':
      return managers(node)
        .map(
          ({ id, hostname, address }) =>
            `${id}, started, ${hostname}, https://${address}:12380, https://${address}:12379, false\n`,
        )
        .join('');
    case 'snapshot save':
      putFile(tree, inVolume(path), store);
      return `Snapshot saved at ${path}\n`;
    case 'snapshot status as JSON': {
      const saved =
        textAt(tree, inVolume(path)) ?? refuse(`Error: stat ${path}: no such file or directory`);
      const totals = { totalKey: keysOf(saved).length, totalSize: saved.length };
      return `${JSON.stringify({ hash: sumOf(saved), revision: revisionOf(saved), ...totals })}\n`;
    }
    default:
      return unknown('etcdctl', words);
  }
}

/** `etcdctl snapshot restore`, in a container that mounts directories of the host. */
export function restoreSnapshot(
  tree: FileTree,
  words: readonly string[],
  volumes: ReadonlyMap<string, string>,
): string {
  const onHost = (path: string): string => {
    const [mounted, from] =
      [...volumes].find(([to]) => path.startsWith(`${to}/`)) ?? unknown('docker run', words);
    return `${from}${path.slice(mounted.length)}`;
  };
  const saved =
    textAt(tree, onHost(words[0] ?? '')) ??
    refuse('Error: open snapshot: no such file or directory');
  const target = onHost(words[words.indexOf('--data-dir') + 1] ?? '');
  if (tree.below(target).length > 1)
    refuse(`Error: data-dir "${target}" not empty or could not be read`);
  putFile(tree, `${target}/member/snap/db`, saved);
  return '';
}

function parsed(words: readonly string[]): { plain: string[]; isJson: boolean } {
  const withValue = [
    '--endpoints',
    '--cacert',
    '--cert',
    '--key',
    '--rev',
    '--command-timeout',
    '-w',
  ];
  const plain = words.filter(
    (word, index) => !word.startsWith('-') && !withValue.includes(words[index - 1] ?? ''),
  );
  return { plain, isJson: words[words.indexOf('-w') + 1] === 'json' };
}

function managers({ cluster }: MkeNode) {
  return [...cluster.swarm.nodes].flatMap(([hostname, { id, role }]) => {
    const address = nodeNamed(cluster, hostname)?.address ?? '';
    return role === 'manager' ? [{ id, hostname, address }] : [];
  });
}

function inVolume(path: string): string {
  return `${DATA}/${path.slice('/data/'.length)}`;
}

function keysOf(store: string): string[] {
  return store.split('\n').flatMap((line) => /^(\/registry\/[^\t]*)\t/.exec(line)?.[1] ?? []);
}

function revisionOf(store: string): number {
  return Number(/^revision (\d+)/.exec(store)?.[1]);
}

/** A checksum of the bytes. */
export function sumOf(bytes: string | Buffer): number {
  return createHash('sha256').update(bytes).digest().readUInt32BE(0);
}
