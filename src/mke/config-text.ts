import { RunnerError } from '../core/errors.ts';
import { arrayOf, isJsonObject, objectOf, parseJson, type JsonObject } from '../core/json.ts';
import { printable } from '../util/text.ts';

/** The file is not an MKE 3 configuration, or not valid TOML. */
export class TomlError extends RunnerError {
  readonly code = 'TOML_INVALID';
}

/** Commands from the vendor documentation that download the configuration. */
const DOWNLOAD = [
  'Log in and download the configuration again:',
  `  TOKEN=$(curl -sk --data '{"username":"NAME","password":"PASSWORD"}' https://MKE_HOST/auth/login | jq -r .auth_token)`,
  '  curl -sk -H "accept: application/toml" -H "Authorization: Bearer $TOKEN" https://MKE_HOST/api/ucp/config-toml > mke3.toml',
].join('\n');

/** Magic bytes of binary files. */
const binaries: [name: string, magic: readonly number[]][] = [
  ['a gzip archive', [0x1f, 0x8b]],
  ['a zip archive', [0x50, 0x4b, 0x03, 0x04]],
];

/**
 * Decodes a downloaded file. Windows tools write UTF-16 or a byte order mark.
 *
 * @throws TomlError if it is not text
 */
export function decodeText(bytes: Uint8Array, file: string): string {
  const encoding = encodingOf(bytes);
  const binary = binaries.find(([, magic]) => magic.every((byte, index) => bytes[index] === byte));
  if (binary !== undefined) throw notToml(file, `This is ${binary[0]}`);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    const at = { file, ...placeOf(bytes) };
    throw new TomlError(`The file is not valid ${encoding.toUpperCase()} text.`, {
      at,
      hint: 'Save the file in UTF-8.',
      cause: error,
    });
  }
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  // Without a mark, every second byte of English text in UTF-16 is zero.
  const start = bytes.subarray(0, 200);
  const zeros = [0, 0];
  for (const [index, byte] of start.entries())
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  const many = start.length / 4;
  if ((zeros[1] ?? 0) > many && zeros[0] === 0) return 'utf-16le';
  if ((zeros[0] ?? 0) > many && zeros[1] === 0) return 'utf-16be';
  return 'utf-8';
}

/** Position of the first byte that is not valid UTF-8. */
function placeOf(bytes: Uint8Array): { line: number; column: number } {
  // An incomplete character at the end decodes to U+FFFD as well, which is where it is.
  const text = new TextDecoder('utf-8').decode(bytes);
  const before = text.slice(0, Math.max(0, text.indexOf('\ufffd'))).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function notToml(file: string, what: string): TomlError {
  return new TomlError(`${what}, not an MKE 3 configuration.`, {
    at: { file, line: 1, column: 1 },
    hint: DOWNLOAD,
  });
}

/**
 * Detects files that operators download by mistake in place of the TOML.
 *
 * @throws TomlError with the kind of the file
 */
export function refuseOtherFormats(text: string, file: string): void {
  const what = kindOf(text);
  if (what !== undefined) throw notToml(file, what);
}

function kindOf(text: string): string | undefined {
  const start = text.trimStart();
  if (start === '') return 'The file is empty';
  const status = /^(?:< )?HTTP\/[\d.]+ (\d{3}[^\r\n]*)/m.exec(start)?.[1];
  if (/^HTTP\/[\d.]+ \d{3}/.test(start))
    return `This begins with response headers printed by "curl -i" (status ${shown(status ?? '')})`;
  if (/^(\* +\w|[<>] \S|% Total)/.test(start))
    return `This is verbose output of curl${status === undefined ? '' : ` (status ${shown(status)})`}`;
  if (/^curl: \(\d+\)/.test(start))
    return `This is an error message of curl (${shown(firstLine(start))})`;
  if (start.startsWith('<')) {
    const title = /<(title|h1)[^>]*>([^<]*)</i.exec(start)?.[2]?.trim();
    return `This is ${/^<\?xml/i.test(start) ? 'XML' : 'HTML'}${title ? ` ("${shown(title)}")` : ''}`;
  }
  if (start.startsWith('-----BEGIN ')) return 'This is a certificate or key';
  return jsonKind(start) ?? yamlKind(start) ?? messageKind(start);
}

function jsonKind(text: string): string | undefined {
  const value = parseJson(text);
  if (value === undefined) return text.startsWith('{') ? 'This is incomplete JSON' : undefined;
  if (!isJsonObject(value)) return 'This is JSON';
  if ('auth_token' in value) return 'This is the JSON response to a login';
  const errors = [...arrayOf(value['errors']).map(objectOf), value].map(errorText);
  const texts = errors.filter((one) => one !== '');
  return texts.length === 0
    ? 'This is JSON'
    : `This is a JSON error response of the API (${shown(texts.join('; '))})`;
}

function errorText({ code, message, error, detail }: JsonObject): string {
  return [code, message, error, detail]
    .filter((part): part is string => typeof part === 'string' && part !== '')
    .join(': ');
}

/** Detects YAML: TOML never has `key: value` in its first line. */
function yamlKind(text: string): string | undefined {
  const first = text.split('\n').find((line) => !/^\s*(#|$)/.test(line)) ?? '';
  if (!/^(---\s*$|[A-Za-z]\w*:(\s|$))/.test(first)) return undefined;
  const kind = /^kind:\s*(\w+)/m.exec(text)?.[1];
  return `This is YAML${kind === undefined ? '' : ` (kind ${kind})`}`;
}

/** Detects short messages such as "404 page not found". */
function messageKind(text: string): string | undefined {
  const isToml = /[=[\]#"']|^\s*\/\//m.test(text);
  return isToml || text.length > 500 ? undefined : `This is the text "${shown(firstLine(text))}"`;
}

function firstLine(text: string): string {
  return text.split(/\r?\n/)[0] ?? '';
}

function shown(text: string): string {
  const line = printable(text.replaceAll(/\s+/g, ' ').trim());
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
