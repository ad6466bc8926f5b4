import { TaskError } from '../../core/errors.ts';
import type { HostFacts, Plan } from '../../core/module.ts';
import { fileContent, fileState } from '../../facts/file.ts';
import {
  type FileAttributes,
  fileProperties,
  pickAttributes,
  planFile,
  undoOfPath,
  validateProperty,
} from './file-plan.ts';

/** Arguments of all modules that edit a text file. */
export const textFileProperties = {
  path: { type: 'string', pattern: '^/', description: 'Absolute path of the file on the host.' },
  validate: validateProperty,
  ...fileProperties,
} as const;

/** Arguments of modules that insert lines into a text file. */
export const insertProperties = {
  state: { enum: ['present', 'absent'], description: 'Default: present.' },
  insertafter: {
    type: 'string',
    description:
      'Insert after the last line that matches this regular expression, or at the end with EOF. Default: EOF.',
  },
  insertbefore: {
    type: 'string',
    description:
      'Insert before the last line that matches this regular expression, or at the beginning with BOF.',
  },
  create: { type: 'boolean', description: 'Create the file if it does not exist. Default: false.' },
} as const;

interface Editing extends FileAttributes {
  path: string;
  validate?: string;
  /** Create a missing file. */
  create?: boolean;
  /** A missing file needs no change. */
  absentIsFine?: boolean;
  /** Remove the file if the edit leaves it empty. */
  removeEmpty?: boolean;
}

/**
 * Plan of editing a text file. The text is read as Latin-1, one character per byte, so that any encoding is preserved.
 * Text that the edit inserts must be converted with `latin1`.
 */
export async function planEdit(
  {
    create = false,
    absentIsFine = false,
    removeEmpty = false,
    validate,
    path,
    ...attributes
  }: Editing,
  host: HostFacts,
  edit: (text: string) => string,
): Promise<Plan> {
  // Read both in one round trip; planFile needs the state, too.
  const [bytes, state] = await Promise.all([
    host.fact(fileContent, path),
    host.fact(fileState, path),
  ]);
  if (bytes === undefined && absentIsFine) return { actions: [] };
  if (bytes === undefined && !create) {
    throw new TaskError(`"${path}" does not exist on "${host.name}".`, {
      hint: 'Set "create: true" to create it.',
    });
  }
  const content = Buffer.from(edit(bytes?.toString('latin1') ?? ''), 'latin1');
  if (removeEmpty && bytes !== undefined && content.length === 0)
    return { actions: [{ kind: 'remove', path }], undo: undoOfPath(path, state, host) };
  const wanted = { path, content, ...pickAttributes(attributes) };
  return planFile(validate === undefined ? wanted : { ...wanted, validate }, host);
}

/** The lines of a text, without line breaks. */
export function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** The text of lines, each with a line break. */
export function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

export function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** @throws TaskError when the source is not a regular expression */
export function expression(source: string, flags = ''): RegExp {
  try {
    return new RegExp(latin1(source), flags);
  } catch (error) {
    throw new TaskError(`"${source}" is not a valid regular expression.`, { cause: error });
  }
}

/** Index of a new line: after the last match of insertafter, or before the last match of insertbefore. */
export function insertAt(
  lines: readonly string[],
  { insertafter, insertbefore }: { insertafter?: string; insertbefore?: string },
): number {
  if (insertbefore === 'BOF') return 0;
  if (insertbefore !== undefined) {
    const pattern = expression(insertbefore);
    const at = lines.findLastIndex((line) => pattern.test(line));
    return at === -1 ? lines.length : at;
  }
  if (insertafter === undefined || insertafter === 'EOF') return lines.length;
  const pattern = expression(insertafter);
  const at = lines.findLastIndex((line) => pattern.test(line));
  return at === -1 ? lines.length : at + 1;
}
