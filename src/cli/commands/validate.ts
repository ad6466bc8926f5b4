import { readFileSync, writeFileSync } from 'node:fs';
import { exitCodes } from '../../core/states.ts';
import {
  describeProblem,
  isWarning,
  PlaybookError,
  ruleOf,
  UsageError,
  type Problem,
} from '../../core/errors.ts';
import { rules } from '../../core/rules.ts';
import type { Playbook } from '../../language/document.ts';
import { localFiles } from '../../util/local-files.ts';
import { checkPlaybook } from '../../playbook/check/check.ts';
import { newCommand } from '../command.ts';
import { printMessage } from '../fail.ts';
import { addVaultOptions, openVault } from '../flags/vault.ts';
import { readInventory } from '../host-selection.ts';
import { once } from '../flags/words.ts';
import { openPlaybook } from '../playbooks.ts';
import type { World } from '../world.ts';

interface ValidateFlags {
  inventory?: string;
  requireUndo?: boolean;
  strict?: boolean;
  fix?: boolean;
  rules?: boolean;
}

/** Fixing one problem may reveal the next, for example in the same condition. */
const MAX_ROUNDS = 10;

/** `runner validate PATH…`: reports all problems that can be found without contacting a host. */
export async function validateCommand(world: World, argv: string[]): Promise<number> {
  const command = newCommand(world, 'runner validate')
    .description('Check playbooks and their roles without contacting a host.')
    .argument('[playbook...]', 'playbook files, or names of shipped playbooks')
    .option('-i, --inventory <FILE>', 'inventory whose variables count as defined', once)
    .option('--require-undo', 'require an undo for every changing task')
    .option('--strict', 'treat warnings as errors')
    .option('--fix', 'fix unambiguous problems in the files')
    .option('--rules', 'list the rules');
  addVaultOptions(command).parse(argv, { from: 'user' });
  const flags = command.opts<ValidateFlags>();
  if (flags.rules === true) return listRules(world);
  if (command.args.length === 0) throw new UsageError('"runner validate" needs a playbook.');
  await openVault(world, argv);
  let problems = await findProblems(world, command.args, flags);
  let fixed = 0;
  for (let round = 0; flags.fix === true && round < MAX_ROUNDS; round++) {
    const now = fixAll(problems);
    if (now === 0) break;
    fixed += now;
    problems = await findProblems(world, command.args, flags);
  }
  return report(world, problems, { names: command.args, flags, fixed });
}

function listRules(world: World): number {
  const lines = Object.entries(rules).map(
    ([name, { severity, summary }]) => `${name.padEnd(20)} ${severity.padEnd(8)} ${summary}`,
  );
  world.stdout.write(`${lines.join('\n')}\n`);
  return exitCodes.done;
}

async function findProblems(
  world: World,
  names: readonly string[],
  { inventory: source }: ValidateFlags,
): Promise<Problem[]> {
  const variablesOf = ({ directories }: Playbook): string[] => {
    if (source === undefined) return [];
    const { hosts } = readInventory(world, source, { varsDirectories: directories });
    return [...hosts.values()].flatMap(({ vars }) => Object.keys(vars));
  };
  const found: Problem[] = [];
  for (const name of names) {
    try {
      const playbook = await openPlaybook(world, name);
      const outside = variablesOf(playbook);
      const checked = checkPlaybook(playbook, world.modules, {
        files: localFiles,
        outside,
        requireUndo: true,
      });
      found.push(...playbook.warnings, ...checked);
    } catch (error) {
      if (!(error instanceof PlaybookError)) throw error;
      found.push(...error.problems);
    }
  }
  const seen = new Set<string>();
  return found.filter((problem) => {
    const key = describeProblem(problem);
    if (seen.has(key) || isSilenced(problem)) return false;
    seen.add(key);
    return true;
  });
}

/**
 * Whether a comment `# runner: allow RULE` on the line or the line above suppresses the warning.
 */
function isSilenced(problem: Problem): boolean {
  if (!isWarning(problem) || problem.at === undefined) return false;
  const { file, line } = problem.at;
  let lines: string[];
  try {
    lines = readFileSync(file, 'utf8').split('\n');
  } catch {
    return false;
  }
  return [lines[line - 1], lines[line - 2]].some((text) => {
    const [, names = ''] = /#\s*runner:\s*allow\s+([\w.,\s-]+)/.exec(text ?? '') ?? [];
    return names.split(/[\s,]+/).includes(ruleOf(problem));
  });
}

/** Fixes unambiguous problems, last position in a file first. Returns the number of fixes. */
function fixAll(problems: readonly Problem[]): number {
  const byFile = new Map<string, Problem[]>();
  for (const problem of problems) {
    if (!problem.fix || !problem.at) continue;
    byFile.set(problem.at.file, [...(byFile.get(problem.at.file) ?? []), problem]);
  }
  let count = 0;
  for (const [file, all] of byFile) {
    const lines = readFileSync(file, 'utf8').split('\n');
    const fromTheEnd = all.toSorted(
      (a, b) => (b.at?.line ?? 0) - (a.at?.line ?? 0) || (b.at?.column ?? 0) - (a.at?.column ?? 0),
    );
    for (const { fix, at } of fromTheEnd) {
      if (!fix || !at) continue;
      const text = lines[at.line - 1] ?? '';
      // The value may be quoted, so it can start after the position.
      const start = text.indexOf(fix.from, at.column - 1);
      if (start === -1) continue;
      lines[at.line - 1] = text.slice(0, start) + fix.to + text.slice(start + fix.from.length);
      count++;
    }
    writeFileSync(file, lines.join('\n'));
  }
  return count;
}

function report(
  world: World,
  problems: readonly Problem[],
  { names, flags, fixed }: { names: readonly string[]; flags: ValidateFlags; fixed: number },
): number {
  const counts = (problem: Problem) =>
    !isWarning(problem) ||
    flags.strict === true ||
    (flags.requireUndo === true && problem.rule === 'no-undo');
  const errors = problems.filter(counts);
  const warnings = problems.filter((problem) => !counts(problem));
  const printProblem = (problem: Problem) => {
    const kind = counts(problem) ? 'error' : 'warning';
    printMessage(world, `${describeProblem(problem)} [${kind}: ${ruleOf(problem)}]`);
  };
  errors.forEach(printProblem);
  warnings.forEach(printProblem);
  const number = (count: number, word: string) =>
    `${String(count)} ${word}${count === 1 ? '' : 's'}`;
  if (fixed > 0) world.stdout.write(`Fixed ${number(fixed, 'problem')}.\n`);
  if (errors.length > 0) {
    const fixable = errors.filter(({ fix }) => fix !== undefined).length;
    const way = fixable > 0 ? ` ${String(fixable)} fixable with --fix.` : '';
    world.stderr.write(`${number(errors.length, 'problem')}. No host was contacted.${way}\n`);
    return exitCodes.invalid;
  }
  const rest = warnings.length > 0 ? `, ${number(warnings.length, 'warning')}` : '';
  world.stdout.write(`${names.join(', ')}: no problems found${rest}.\n`);
  return exitCodes.done;
}
