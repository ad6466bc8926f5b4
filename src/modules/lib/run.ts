import type { ExecAction } from '../../core/action.ts';
import { TaskError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Effect, HostFacts, Plan } from '../../core/module.ts';
import { fileState } from '../../facts/file.ts';

/** Arguments of modules that run a command. */
export const runProperties = {
  chdir: { type: 'string', description: 'Directory to run the command in.' },
  creates: {
    type: 'string',
    description: 'Path. If it exists, the command does not run.',
  },
  removes: {
    type: 'string',
    description: 'Path. If it does not exist, the command does not run.',
  },
  stdin: { type: 'string', description: 'Text for standard input. Default: empty.' },
  read_only: {
    type: 'boolean',
    description:
      'The command changes nothing: it also runs in check mode, never counts as a change and needs no undo.',
  },
} as const;

interface RunArgs {
  chdir?: string | undefined;
  creates?: string | undefined;
  removes?: string | undefined;
  stdin?: string | undefined;
  read_only?: boolean | undefined;
}

/** Plan of a command; empty if `creates` or `removes` shows that it need not run. */
export async function planRun(argv: string[], args: RunArgs, host: HostFacts): Promise<Plan> {
  const [creates, removes] = await Promise.all([
    args.creates === undefined ? undefined : host.fact(fileState, args.creates),
    args.removes === undefined ? undefined : host.fact(fileState, args.removes),
  ]);
  if (creates !== undefined && creates.type !== 'absent') {
    return {
      actions: [],
      result: { rc: 0, stdout: '', stderr: '', msg: `"${args.creates ?? ''}" exists.` },
    };
  }
  if (removes?.type === 'absent') {
    return {
      actions: [],
      result: { rc: 0, stdout: '', stderr: '', msg: `"${args.removes ?? ''}" does not exist.` },
    };
  }
  const action: ExecAction = {
    kind: 'exec',
    argv,
    ...(args.chdir === undefined ? {} : { cwd: args.chdir }),
    ...(args.stdin === undefined ? {} : { stdin: args.stdin }),
  };
  return { actions: [action], result: { cmd: argv } };
}

/** A command may change anything, unless the task sets `read_only`. */
export function effectOfRun(args: JsonObject): Effect {
  return args['read_only'] === true ? 'reads' : 'changes';
}

/** Splits at whitespace. Quotes group words and a backslash escapes the next character. Nothing is expanded. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quoteMark = '';
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    if (quoteMark !== '') {
      if (character === quoteMark) quoteMark = '';
      else if (character === '\\' && quoteMark === '"') word = (word ?? '') + text.charAt(++index);
      else word = (word ?? '') + character;
    } else if (character === '"' || character === "'") {
      quoteMark = character;
      word ??= '';
    } else if (character === '\\') {
      word = (word ?? '') + text.charAt(++index);
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (quoteMark !== '') throw new TaskError(`The command has an unclosed ${quoteMark}: ${text}`);
  if (word !== undefined) words.push(word);
  return words;
}
