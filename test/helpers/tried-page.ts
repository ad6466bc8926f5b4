import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/util/package.ts';

/** A fenced code block of a page: its language, its title, its text, and the lines of the page that hold the text. */
interface Block {
  language: string;
  title: string | undefined;
  text: string;
  from: number;
  to: number;
}

/** What a page says a command prints, and what it prints. */
export interface Shown {
  command: string;
  expected: string;
  actual: string;
}

const START = 'npm run lab';
const LIMIT_MS = 120_000;
const run = promisify(execFile);

/**
 * Follows a page in a temporary directory: writes each `yaml` block with a title to that file, and runs each `sh` block
 * in the shell that the first one, "npm run lab", opens. A `text` block shows the output of the block before it.
 * With UPDATE_DOCS=1, output that differs is written to the page.
 * @param heading only the section with this heading
 */
export async function followPage(page: string, heading?: string): Promise<Shown[]> {
  const path = join(packageRoot(), page);
  const lines = readFileSync(path, 'utf8').split('\n');
  const blocks = blocksOf(lines, heading);
  const outputs = await runBlocks(blocks);
  const shown = blocks.flatMap((block, index) => {
    const before = blocks[index - 1];
    if (block.language !== 'text' || !before) return [];
    const actual = outputs.get(before) ?? '';
    return [{ block, command: before.text, expected: block.text, actual }];
  });
  const differs = shown.some(({ expected, actual }) => plain(expected) !== plain(actual));
  if (differs && process.env['UPDATE_DOCS'] === '1') {
    // All of them, so that the ids of runs on the page stay those of one session.
    for (const { block, actual } of shown.toReversed())
      lines.splice(block.from, block.to - block.from, ...readerPaths(actual).split('\n'));
    writeFileSync(path, lines.join('\n'));
  }
  return shown.map(({ command, expected, actual }) => ({
    command,
    expected: plain(expected),
    actual: plain(actual),
  }));
}

function blocksOf(lines: readonly string[], heading: string | undefined): Block[] {
  const blocks: Block[] = [];
  let wanted = heading === undefined;
  let open: { language: string; title: string | undefined; from: number } | undefined;
  for (const [index, line] of lines.entries()) {
    const fence = /^```(\w*)(?: title="([^"]+)")?$/.exec(line);
    if (open && fence) {
      const text = lines.slice(open.from, index).join('\n');
      if (wanted) blocks.push({ ...open, text, to: index });
      open = undefined;
    } else if (fence) {
      open = { language: fence[1] ?? '', title: fence[2], from: index + 1 };
    } else if (!open && line.startsWith('## ') && heading !== undefined) {
      wanted = line === `## ${heading}`;
    }
  }
  return blocks;
}

/** Output of each `sh` block, standard error included. */
async function runBlocks(blocks: readonly Block[]): Promise<Map<Block, string>> {
  const [first, ...rest] = blocks.filter(({ language, title }) => language === 'sh' || title);
  if (first?.text !== START) throw new Error(`The first command must be "${START}".`);
  const mark = '@@ end of a block @@';
  const script = rest.map(({ title, text }) =>
    title === undefined
      ? `{ ${text}\n} </dev/null\necho '${mark}'`
      : `cat >'${title}' <<'@@ end of a file @@'\n${text}\n@@ end of a file @@`,
  );
  const directory = mkdtempSync(join(tmpdir(), 'runner-page-'));
  try {
    for (const name of ['package.json', 'scripts'])
      symlinkSync(join(packageRoot(), name), join(directory, name));
    writeFileSync(join(directory, 'commands.sh'), `echo '${mark}'\n${script.join('\n')}\n`);
    const { stdout } = await run(
      'sh',
      ['-c', `exec ${START} -- sh "${join(directory, 'commands.sh')}" 2>&1`],
      {
        cwd: directory,
        timeout: LIMIT_MS,
        env: {
          PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
          HOME: directory,
          RUNNER_LAB_PREPARED: '1',
          npm_config_update_notifier: 'false',
        },
      },
    );
    // npm names the script that it runs before its output.
    const outputs = stdout.replaceAll(/^(> .*)?\n/gm, (line, echoed) => (echoed ? '' : line));
    const parts = outputs.split(`${mark}\n`);
    const commands = [first, ...rest.filter(({ title }) => title === undefined)];
    return new Map(commands.map((block, index) => [block, (parts[index] ?? '').trim()]));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Shows the directory of the test as one that a reader may have, and leaves out the durations of steps. */
function readerPaths(text: string): string {
  return text
    .replaceAll(/\/\S*\/runner-page-\w+\//g, '/home/ann/runner/')
    .replaceAll(/(?<= )\d[\d.]* ?m?s$/gm, '')
    .replaceAll(/ +$/gm, '');
}

/**
 * Without what differs from run to run: durations, times, ids of runs, addresses and directories of the lab, and the order in
 * which hosts are undone in parallel.
 */
function plain(text: string): string {
  return text
    .replaceAll(/ ?\(\d[\d.]* ?m?s(?: [\d.]+ ?s)?\)/g, '')
    .replaceAll(/(?<= )\d[\d.]* ?m?s$/gm, '')
    .replaceAll(/ +$/gm, '')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\d{8}-\d{6}-[\da-f]{4}/g, 'RUN')
    .replaceAll(/127\.\d+\.\d+\.\d+/g, 'ADDRESS')
    .replaceAll(/\/\S*\/lab\//g, '/lab/')
    .replaceAll(/(?:^ {2}(?:undone|failed|blocked) .*\n)+/gm, (lines) =>
      lines.trimEnd().split('\n').sort().join('\n').concat('\n'),
    );
}
