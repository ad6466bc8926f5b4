// `node scripts/record-demo.mjs`: makes docs/images/rollback-light.svg and rollback-dark.svg, the pictures of README.md. It
// runs the failing playbook of docs/getting-started.md in the embedded lab on a new terminal, which `script` (Debian
// package bsdutils) opens, and draws the final content of that terminal. Build first: npm run build
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../', import.meta.url).pathname;
const COLUMNS = 96;
const FONT_SIZE = 14;
const CHARACTER_WIDTH = FONT_SIZE * 0.6;
const LINE_HEIGHT = 20;
const PADDING = 18;
const ESCAPE = '\u001b';

const themes = {
  light: {
    background: '#ffffff',
    border: '#d0d7de',
    text: '#1f2328',
    dim: '#59636e',
    31: '#cf222e',
    32: '#116329',
    33: '#7d4e00',
    36: '#1b7c83',
  },
  dark: {
    background: '#0d1117',
    border: '#3d444d',
    text: '#f0f6fc',
    dim: '#9198a1',
    31: '#ff7b72',
    32: '#3fb950',
    33: '#d29922',
    36: '#39c5cf',
  },
};

const page = readFileSync(join(root, 'docs', 'getting-started.md'), 'utf8');
const [before, after] = [...page.matchAll(/^```yaml title="site\.yml"\n([^]*?)\n```$/gm)].map(
  ([, text]) => text,
);
const screen = draw(record(before, after));
mkdirSync(join(root, 'docs', 'images'), { recursive: true });
for (const [name, theme] of Object.entries(themes))
  writeFileSync(join(root, 'docs', 'images', `rollback-${name}.svg`), svg(screen, theme));

/** Output for the terminal: the first version runs without output, then the second one fails on web2. */
function record(first, second) {
  const directory = mkdtempSync(join(tmpdir(), 'runner-record-'));
  try {
    writeFileSync(join(directory, 'first.yml'), `${first}\n`);
    writeFileSync(join(directory, 'second.yml'), `${second}\n`);
    const prompt = (command) => `printf '\\033[1m$ %s\\033[22m\\n' '${command}'`;
    const play = 'runner play site.yml -i hosts.yml';
    const look = 'runner exec web1 -i hosts.yml -- cat /etc/motd';
    writeFileSync(
      join(directory, 'commands.sh'),
      [
        'cp ../first.yml site.yml',
        `${play} >/dev/null`,
        'cp ../second.yml site.yml',
        'runner exec web2 -i hosts.yml -- touch /etc/maintenance >/dev/null',
        `stty cols ${COLUMNS} rows 50`,
        "printf '@@start@@\\n'",
        ...[prompt(play), play, 'code=$?'],
        ...[prompt('echo $?'), 'echo $code'],
        ...[prompt(look), look],
      ].join('\n'),
    );
    const { status, stderr } = spawnSync(
      'script',
      [
        '-qefc',
        `'${process.execPath}' '${join(root, 'scripts', 'lab.mjs')}' sh ../commands.sh`,
        'typescript',
      ],
      {
        cwd: directory,
        stdio: ['ignore', 'ignore', 'pipe'],
        env: {
          ...process.env,
          TERM: 'xterm',
          INIT_CWD: directory,
          RUNNER_LAB_PREPARED: '1',
          HOME: directory,
        },
      },
    );
    if (status !== 0) throw new Error(`script failed with exit code ${status}: ${stderr}`);
    const text = readFileSync(join(directory, 'typescript'), 'utf8');
    return text.slice(text.indexOf('@@start@@\r\n') + 11, text.lastIndexOf('\nScript done'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Lines of cells, each with a character and its style, as a terminal shows them after this text. */
function draw(text) {
  const lines = [[]];
  let [row, column] = [0, 0];
  let style = {};
  const tokens = new RegExp(`${ESCAPE}\\[([\\d;?]*)([A-Za-z])|\r|\n|[^${ESCAPE}\r\n]`, 'gu');
  for (const [token, parameters, command] of text.matchAll(tokens)) {
    if (token === '\r') column = 0;
    else if (token === '\n') {
      row += 1;
      lines[row] ??= [];
    } else if (command === undefined) {
      if (column === COLUMNS) {
        column = 0;
        row += 1;
        lines[row] ??= [];
      }
      lines[row][column] = { character: token, ...style };
      column += 1;
    } else if (command === 'A') row = Math.max(0, row - Number(parameters || 1));
    else if (command === 'J') {
      lines[row].length = Math.min(lines[row].length, column);
      lines.length = row + 1;
    } else if (command === 'K') lines[row].length = Math.min(lines[row].length, column);
    else if (command === 'm') style = styled(style, parameters);
  }
  while (lines.at(-1).length === 0) lines.pop();
  return lines;
}

function styled(style, parameters) {
  const next = { ...style };
  for (const code of parameters.split(';').map(Number)) {
    if (code === 0) return {};
    if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 22) next.bold = next.dim = undefined;
    else if (code === 39) next.color = undefined;
    else if (code >= 30 && code <= 37) next.color = code;
  }
  return next;
}

function svg(lines, theme) {
  const width = Math.round(2 * PADDING + COLUMNS * CHARACTER_WIDTH);
  const height = 2 * PADDING + lines.length * LINE_HEIGHT;
  const rows = lines.map((cells, row) => {
    const y = PADDING + row * LINE_HEIGHT + FONT_SIZE;
    return runs(cells)
      .map(({ column, text, color, dim, bold }) => {
        const fill = theme[color] ?? (dim ? theme.dim : theme.text);
        const x = (PADDING + column * CHARACTER_WIDTH).toFixed(1);
        const length = ([...text].length * CHARACTER_WIDTH).toFixed(1);
        const weight = bold ? ' font-weight="bold"' : '';
        return `<text x="${x}" y="${y}" textLength="${length}" fill="${fill}"${weight}>${escape(text)}</text>\n`;
      })
      .join('');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>A run that fails on one host, and is rolled back on both</title>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${theme.background}" stroke="${theme.border}"/>
<g font-family="ui-monospace, 'DejaVu Sans Mono', monospace" font-size="${FONT_SIZE}" xml:space="preserve">
${rows.join('')}</g>
</svg>
`;
}

/** Adjacent cells of one style, without the spaces around them. */
function runs(cells) {
  const found = [];
  for (const [column, cell = { character: ' ' }] of cells.entries()) {
    const { character, ...style } = cell;
    const last = found.at(-1);
    if (last && last.key === JSON.stringify(style)) last.text += character;
    else found.push({ column, text: character, key: JSON.stringify(style), ...style });
  }
  return found
    .map((run) => ({ ...run, column: run.column + run.text.search(/\S|$/), text: run.text.trim() }))
    .filter(({ text }) => text !== '');
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
