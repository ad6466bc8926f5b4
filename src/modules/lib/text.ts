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

/** Arguments of every module that edits the text of a file. */
export const textFileProperties = {
  path: { type: 'string', pattern: '^/', description: 'Absolute path of the file on the host.' },
  validate: validateProperty,
  ...fileProperties,
} as const;

/** Arguments of modules that put lines into a text. */
export const insertProperties = {
  state: { enum: ['present', 'absent'], description: 'Default: present.' },
  insertafter: {
    type: 'string',
    description: 'Regular expression of the line before what is new, or EOF. Default: EOF.',
  },
  insertbefore: {
    type: 'string',
    description: 'Regular expression of the line after what is new, or BOF.',
  },
  create: { type: 'boolean', description: 'Make the file when it is missing. Default: false.' },
} as const;

interface Editing extends FileAttributes {
  path: string;
  validate?: string;
  /** Make the file when it is missing. */
  create?: boolean;
  /** A file that is missing is as wanted. */
  absentIsFine?: boolean;
  /** A file in which nothing is left goes. */
  removeEmpty?: boolean;
}

/**
 * Plan of a module that edits a text. The text is Latin-1: each byte is one character, so that any encoding passes
 * unharmed; what the edit puts in must be converted with `latin1`.
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
  // Asked together, they travel together; planFile looks at the state.
  const [bytes, state] = await Promise.all([
    host.fact(fileContent, path),
    host.fact(fileState, path),
  ]);
  if (bytes === undefined && absentIsFine) return { actions: [] };
  if (bytes === undefined && !create) {
    throw new TaskError(`"${path}" does not exist on "${host.name}".`, {
      hint: 'Set create: true to make it.',
    });
  }
  const content = Buffer.from(edit(bytes?.toString('latin1') ?? ''), 'latin1');
  if (removeEmpty && bytes !== undefined && content.length === 0)
    return { actions: [{ kind: 'remove', path }], undo: undoOfPath(path, state, host) };
  const wanted = { path, content, ...pickAttributes(attributes) };
  return planFile(validate === undefined ? wanted : { ...wanted, validate }, host);
}

/** The lines of a text, without their ends. */
export function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** The text of lines, each with its end. */
export function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

export function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** @throws TaskError when it is none */
export function expression(source: string, flags = ''): RegExp {
  try {
    return new RegExp(latin1(source), flags);
  } catch (error) {
    throw new TaskError(`"${source}" is not a regular expression.`, { cause: error });
  }
}

/** Where a line goes: behind the last that matches insertafter, or before the last that matches insertbefore. */
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
