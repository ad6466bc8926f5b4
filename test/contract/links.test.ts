import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package.ts';

const root = packageRoot();
const text = (path: string) => readFileSync(join(root, path), 'utf8');

function filesBelow(directory: string, pattern: RegExp): string[] {
  return readdirSync(join(root, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const pages = [
  ...['README.md', 'CHANGELOG.md'],
  ...['docs', 'roles', 'examples', 'src', 'test'].flatMap((one) => filesBelow(one, /\.md$/)),
];

/** Anchors of the headings of a page, as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  const prose = text(page).replaceAll(/^```[^]*?^```$/gm, '');
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const name = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = name;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${name}-${String(count)}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** The problem of a link to a file of the repository; undefined for a valid link. */
function problemOf(target: string, anchor: string | undefined): string | undefined {
  if (!existsSync(target)) return 'the file does not exist';
  const page = relative(root, target);
  if (anchor === undefined || !statSync(target).isFile()) return undefined;
  return anchorsOf(page).has(anchor) ? undefined : 'the heading does not exist';
}

describe('links in Markdown', () => {
  it.each(pages)('%s links to files and headings that exist', (page) => {
    const prose = text(page)
      .replaceAll(/^```[^]*?^```$/gm, '')
      .replaceAll(/`[^`\n]*`/g, '');
    const links = [
      ...[...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link),
      ...[...prose.matchAll(/(?:src|srcset|href)="([^"]+)"/g)].map(([, link = '']) => link),
    ];
    const problems = links
      .filter((link) => !/^[a-z]+:/.test(link))
      .flatMap((link) => {
        const [path = '', anchor] = link.split('#', 2);
        const target = path === '' ? join(root, page) : resolve(root, dirname(page), path);
        const problem = problemOf(target, anchor);
        return problem === undefined ? [] : [`${link}: ${problem}`];
      });
    expect(problems).toEqual([]);
  });
});

describe('pages that the source names', () => {
  const files = [
    ...['src', 'scripts', 'bench'].flatMap((one) => filesBelow(one, /\.(ts|mjs|sh|hbs)$/)),
    ...['schemas', 'roles', 'playbooks', 'examples'].flatMap((one) =>
      filesBelow(one, /\.(json|ya?ml|js)$/),
    ),
  ];

  it('exist, with their headings', () => {
    const problems = files.flatMap((file) =>
      [...text(file).matchAll(/\b(docs\/[\w/-]+\.md)(?:#([\w-]+))?/g)].flatMap(
        ([name, page = '', anchor]) => {
          const problem = problemOf(join(root, page), anchor);
          return problem === undefined ? [] : [`${file}: ${name}: ${problem}`];
        },
      ),
    );
    expect(problems).toEqual([]);
  });

  it('have no numbered sections, so comments cite none', () => {
    const cited = files
      .filter((file) => file.startsWith('src'))
      .flatMap((file) => text(file).match(/^.*\w+\.md §.*$/gm) ?? []);
    expect(cited).toEqual([]);
  });
});

it('docs/architecture.md names files of the source that exist', () => {
  const named = [...text('docs/architecture.md').matchAll(/`((?:[\w-]+\/)+[\w-]+\.\w+)`/g)];
  const missing = named
    .map(([, path = '']) => path)
    .filter((path) => !['', 'src', 'test'].some((one) => existsSync(join(root, one, path))));
  expect(missing).toEqual([]);
});
