import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/util/package.ts';
import { Cli } from './cli.ts';
import { randomOf, seed } from './seed.ts';

/** A kind of file that users or crashes can damage, and the command that reads it. */
export interface FuzzTarget {
  name: string;
  /** Valid files, which are changed at random. */
  samples: () => string[];
  /** Name of the changed file, below the directory of the test. */
  file: string;
  args: (file: string) => string[];
  /** Exit codes of a command that accepted or rejected its input. */
  codes: number[];
}

const read = (...path: string[]): string => readFileSync(join(packageRoot(), ...path), 'utf8');
const examples = (pattern: RegExp): string[] =>
  readdirSync(join(packageRoot(), 'examples'), { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => read('examples', name));

export const fuzzTargets: FuzzTarget[] = [
  {
    name: 'a playbook',
    samples: () => examples(/^(modules\/\w+|[\w-]+\/playbook)\.yml$/),
    file: 'site.yml',
    args: (file) => ['validate', file],
    codes: [0, 1],
  },
  {
    name: 'the tasks of a playbook',
    samples: () => [read('playbooks', 'upgrade.yml')],
    file: 'site.yml',
    args: (file) => ['play', file, '--list-tasks'],
    codes: [0, 1],
  },
  {
    name: 'an inventory in YAML',
    samples: () => [
      ...examples(/hosts\.yml$/),
      'hosts:\n  - address: 10.0.0.11\n    port: 22\n    user: ubuntu\n    keyPath: ~/.ssh/id\n',
      'all:\n  vars: { a: 1 }\n  hosts: { h1: { ansible_host: 10.0.0.1 } }\n  children:\n    web: { hosts: { h1: , h2: { b: [1, 2] } }, children: { db: { hosts: { h3: } } } }\n',
    ],
    file: 'hosts.yml',
    args: (file) => ['hosts', '-i', file],
    codes: [0, 1],
  },
  {
    name: 'an inventory in INI',
    samples: () => [
      'h1 ansible_host=10.0.0.1 note="a b"\nh[2:4]\n\n[web]\nh1\nh2 port=22\n\n[web:vars]\nx=1\n\n[all:children]\nweb\n',
    ],
    file: 'hosts',
    args: (file) => ['hosts', '-i', file],
    codes: [0, 1],
  },
  {
    name: 'a configuration of MKE 3',
    samples: () => [read('src', 'lab', 'mke3-config.toml')],
    file: 'mke3.toml',
    args: (file) => ['init', '--mke3-config', file],
    codes: [0, 1],
  },
  {
    name: 'an encrypted file',
    samples: () => [
      '$ANSIBLE_VAULT;1.1;AES256\n33363965326261303234313938633166376162646566653934633563346636\n6133633365613364626162393162336239306265376330360a313037663764\n',
    ],
    file: 'secret.yml',
    args: (file) => ['vault', 'view', file, '--vault-password-file', join(file, '..', 'password')],
    codes: [0, 1],
  },
];

/** Text that has a meaning for one of the readers. */
const pieces = [
  ...[
    '{{',
    '}}',
    '{{#if x}}',
    '{% if x %}',
    '!raw ',
    '!vault |',
    '&a ',
    '*a',
    '<<: *a',
    '---',
    '- ',
    ': ',
  ],
  ...[
    '\t',
    '\0',
    '\r\n',
    '\uFEFF',
    '\u2028',
    '\u{1F600}',
    '"',
    "'",
    '[',
    ']',
    '{',
    '}',
    '#',
    '\\',
    '\x1b[2J',
  ],
  ...[
    'null',
    'true',
    '~',
    '0x1F',
    '1e400',
    '-0',
    '99999999999999999999',
    'NaN',
    '2024-02-30',
    '__proto__',
    'constructor',
  ],
  ...['a'.repeat(5000), '['.repeat(200), '{a: '.repeat(200), 'a and '.repeat(300)],
];

function mutate(text: string, random: () => number): string {
  let lines = text.split('\n');
  const index = (length: number): number => Math.floor(random() * length);
  const rounds = 1 + index(4);
  for (let round = 0; round < rounds; round++) {
    const at = index(lines.length);
    const line = lines[at] ?? '';
    const piece = pieces[index(pieces.length)] ?? '';
    const column = index(line.length + 1);
    switch (index(8)) {
      case 0:
        lines.splice(at, 1);
        break;
      case 1:
        lines.splice(index(lines.length), 0, line);
        break;
      case 2:
        lines[at] = line.slice(0, column) + piece + line.slice(column);
        break;
      case 3:
        lines[at] = line.slice(0, column) + line.slice(column + 1 + index(6));
        break;
      case 4:
        lines[at] = `${' '.repeat(index(6))}${line.trimStart()}`;
        break;
      case 5:
        lines[at] = line.replace(/[:=].*$/, `: ${piece}`);
        break;
      case 6:
        lines = lines.slice(0, at + 1);
        break;
      default:
        lines[at] = line.replaceAll(/\w+/g, (word) => (random() < 0.2 ? piece : word));
    }
  }
  return lines.join('\n');
}

/**
 * Runs the command on changed files.
 * @returns the failures, each with the file that caused it, which is kept
 */
export async function fuzz(target: FuzzTarget, runs: number): Promise<string[]> {
  const random = randomOf(target.name);
  const samples = target.samples();
  const problems: string[] = [];
  const cli = new Cli();
  try {
    cli.file('password', 'secret\n');
    for (let run = 0; run < runs; run++) {
      const sample = samples[Math.floor(random() * samples.length)] ?? '';
      const text = mutate(sample, random);
      const file = cli.file(target.file, text);
      const { code, stderr } = await cli.run(target.args(file), { timeoutMs: 60_000 });
      // A file may put any text into a message, but no control characters.
      const unsafe = /[^\P{Cc}\t\n]/u.test(stderr);
      const understood = target.codes.includes(code ?? -1) && !stderr.includes('internal error');
      if (understood && !unsafe) continue;
      const kept = join(packageRoot(), 'node_modules', '.fuzz');
      mkdirSync(kept, { recursive: true });
      const copy = join(kept, `${String(seed)}-${String(run)}-${target.file}`);
      writeFileSync(copy, text);
      problems.push(
        `run ${String(run)}, code ${String(code)}, ${copy}: ${JSON.stringify(stderr.slice(0, 400))}`,
      );
      if (problems.length >= 5) break;
    }
  } finally {
    cli.dispose();
  }
  return problems;
}
