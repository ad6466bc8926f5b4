import { resolve } from 'node:path';
import { type Command } from 'commander';
import {
  casesOf,
  playReference,
  sweep,
  type CaseResult,
  type ChangingStep,
  type Reference,
  type SweepOptions,
} from '../../chaos/sweep.ts';
import type { PlaygroundSpec } from '../../chaos/playground.ts';
import { UsageError } from '../../core/errors.ts';
import { faults, type Fault } from '../../core/fault.ts';
import { exitCodes } from '../../core/states.ts';
import type { Playbook } from '../../language/document.ts';
import { loadInventory } from '../../inventory/load.ts';
import { pointsOfNoReturn } from '../../playbook/no-return.ts';
import { stateDir } from '../../util/paths.ts';
import { didYouMean, formatDuration, plural } from '../../util/text.ts';
import { newCommand } from '../command.ts';
import { flagOf, inputOptions } from '../flags/inputs.ts';
import { once, wholeNumber } from '../flags/words.ts';
import { readInventory } from '../host-selection.ts';
import { findPlaybook, playbookOf } from '../playbooks.ts';
import { SweepResults } from '../sweep-results.ts';
import type { World } from '../world.ts';

interface TestFlags {
  inventory?: string;
  hosts: string;
  lab?: string;
  prepare?: string;
  chaos?: boolean;
  steps?: string;
  faults?: string;
  jobs: string;
  caseTimeout: string;
  ignore?: string[];
  again?: boolean;
}

/**
 * `runner test PLAYBOOK …`: plays a playbook in the embedded lab, twice or with a fault at every
 * step.
 */
export async function testCommand(world: World, argv: string[]): Promise<number> {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  const own = command(world);
  const playbook = await playbookOf(world, own, words);
  if (!playbook) return exitCodes.done;
  const taken = new Set(own.options.map(({ long }) => long));
  for (const option of inputOptions(playbook.inputs)) {
    // Inputs with the name of an option of this command are given after "--".
    if (!taken.has(option.long)) own.addOption(option.helpGroup(`Inputs of ${playbook.name}:`));
  }
  own.parse(words, { from: 'user' });
  const flags = own.opts<TestFlags & Record<string, unknown>>();
  const given = inputsFor(world, playbook, { flags, taken });
  if (end !== -1) given.args.push(...argv.slice(end + 1));
  return tryPlaybook(world, { playbook, flags, options: optionsOf(world, playbook, flags, given) });
}

interface GivenInputs {
  args: string[];
  env: Record<string, string>;
}

/** Inputs for the tested runner. Secrets are passed in its environment, never as arguments. */
function inputsFor(
  world: World,
  { inputs }: Playbook,
  { flags, taken }: { flags: Record<string, unknown>; taken: ReadonlySet<string | undefined> },
): GivenInputs {
  const given: GivenInputs = { args: [], env: {} };
  for (const input of inputs) {
    const fromEnvironment = input.env === undefined ? undefined : world.env[input.env];
    if (input.env !== undefined && fromEnvironment !== undefined)
      given.env[input.env] = fromEnvironment;
    for (const option of inputOptions([input])) {
      const { long = '' } = option;
      const value = taken.has(long) ? undefined : flags[option.attributeName()];
      if (value === undefined) continue;
      const secret = input.secret && long === flagOf(input.name);
      if (secret && input.env === undefined)
        throw new UsageError(`${long} would expose the secret in the process list.`, {
          hint: `Use ${long}-file.`,
        });
      if (secret && input.env !== undefined) given.env[input.env] = String(value);
      else given.args.push(...(value === true ? [long] : [long, String(value)]));
    }
  }
  return given;
}

function command(world: World): Command {
  return newCommand(world, 'runner test')
    .argument('<playbook>', 'playbook file, or name of a shipped playbook')
    .description(
      'Test a playbook in the embedded lab. By default, play it twice and report the tasks that change again. With --chaos, inject faults at every changing step and check that the rollback restores all files.',
    )
    .option(
      '-i, --inventory <FILE>',
      'inventory file or directory; lab hosts take the place of its hosts',
      once,
    )
    .option('--hosts <N>', 'number of lab hosts if no inventory is given', '3')
    .option('--lab <KIND>', '"hosts", or "mke3:MANAGERS+WORKERS" for an MKE 3 cluster')
    .option('--prepare <PLAYBOOK>', 'playbook that prepares the lab hosts')
    .option('--chaos', 'inject each fault at each changing step')
    .option(
      '--steps <LIST>',
      'only at these steps: numbers, ranges such as 3-7, IDs or names, comma-separated',
    )
    .option('--faults <LIST>', `only these faults: ${Object.keys(faults).join(', ')}`)
    .option('--jobs <N>', 'number of labs to run in parallel', '2')
    .option('--case-timeout <SECONDS>', 'time limit of each call of runner', '300')
    .option(
      '--ignore <PATTERN>',
      'regular expression of paths that need not be restored, such as ^hosts/[^/]*/var/log/; may be repeated',
      (value: string, known: string[] | undefined) => [...(known ?? []), value],
    )
    .option('--again', 'discard the results of earlier sweeps and repeat all cases')
    .addHelpText(
      'after',
      '\nPut an input that has the name of one of these options after "--": runner test site.yml -- --hosts web',
    );
}

/** A playbook to test, and the options. */
interface Trial {
  playbook: Playbook;
  flags: TestFlags;
  options: SweepOptions;
}

function optionsOf(
  world: World,
  playbook: Playbook,
  flags: TestFlags,
  given: GivenInputs,
): SweepOptions {
  const points = pointsOfNoReturn(playbook);
  const consent = points.flatMap(({ name }) => ['--accept-irreversible', name]);
  return {
    program: world.program,
    env: { PATH: world.env['PATH'] ?? '', ...given.env },
    playArgs: [playbook.path, ...given.args, ...consent],
    playground: playgroundOf(world, playbook, flags),
    prepare: flags.prepare === undefined ? undefined : resolve(findPlaybook(flags.prepare)),
    jobs: wholeNumber(flags.jobs, '--jobs'),
    caseTimeoutMs: wholeNumber(flags.caseTimeout, '--case-timeout') * 1000,
    ignored: (flags.ignore ?? []).map(toPattern),
  };
}

async function tryPlaybook(world: World, trial: Trial): Promise<number> {
  const { playbook, flags, options } = trial;
  const chaos = flags.chaos === true;
  if (!chaos && (flags.steps ?? flags.faults) !== undefined)
    throw new UsageError('--steps and --faults require --chaos.');
  const chosen = chosenFaults(flags.faults);
  const printLine = (line: string) => {
    world.stdout.write(`${world.redactor.mask(line)}\n`);
  };
  printLine(`Playing ${playbook.name} in the lab …`);
  let reference: Reference;
  try {
    reference = await playReference(options, { twice: !chaos });
  } catch (error) {
    printLine(error instanceof Error ? error.message : String(error));
    return exitCodes.preflight_failed;
  }
  if (!chaos) return reportTwice(reference, printLine);
  return sweepSteps(world, trial, { reference, chosen, printLine });
}

type PrintLine = (line: string) => void;

function reportTwice({ steps, again, secondFailure }: Reference, printLine: PrintLine): number {
  printLine(`First play: ${plural(steps.length, 'changing step')}.`);
  for (const { step, host, diff } of again)
    printLine(`  changed again  ${step} on ${host}${diff ? `: ${diff}` : ''}`);
  if (secondFailure !== undefined) printLine(`Second play failed: ${secondFailure}`);
  if (again.length > 0 || secondFailure !== undefined) return exitCodes.differences;
  printLine('Second play: nothing changed.');
  return exitCodes.done;
}

/**
 * Injects each chosen fault at each chosen step, except cases with a result from an earlier sweep.
 */
async function sweepSteps(
  world: World,
  { playbook, flags, options }: Trial,
  {
    reference,
    chosen,
    printLine,
  }: { reference: Reference; chosen: readonly Fault[]; printLine: PrintLine },
): Promise<number> {
  const steps = chooseSteps(reference.steps, flags.steps);
  const results = new SweepResults(stateDir(world.env), options, playbook.files);
  if (flags.again) results.forget();
  const cases = casesOf(steps, chosen);
  const open = cases.filter(({ step, fault }) => !results.of(step.id, fault));
  printLine(
    `${plural(steps.length, 'changing step')} × ${plural(chosen.length, 'fault')}: ${plural(cases.length, 'case')}.`,
  );
  if (open.length < cases.length)
    printLine(
      `${plural(cases.length - open.length, 'case')} already tested by an earlier sweep; use --again to repeat.`,
    );
  let done = cases.length - open.length;
  await sweep(options, reference, open, (result) => {
    results.add(result);
    done++;
    const verdict = result.problems.length === 0 ? 'passed' : 'FAILED';
    printLine(
      `  ${String(done).padStart(3)}/${String(cases.length)}  ${verdict} ${result.fault.padEnd(11)} ${result.step} (${formatDuration(result.durationMs)})`,
    );
  });
  for (const line of sweepTable(reference.steps, steps, { chosen, results })) printLine(line);
  const ran = steps.flatMap((step) => chosen.flatMap((fault) => results.of(step.id, fault) ?? []));
  const bad = ran.filter(({ problems }) => problems.length > 0);
  for (const line of bad.flatMap(problemLines)) printLine(line);
  printLine(
    `\n${plural(ran.length, 'case')}: ${String(ran.length - bad.length)} passed, ${String(bad.length)} failed.`,
  );
  return bad.length === 0 ? exitCodes.done : exitCodes.differences;
}

/** The result of each case: one line per step, one column per fault. */
function sweepTable(
  all: readonly ChangingStep[],
  steps: readonly ChangingStep[],
  { chosen, results }: { chosen: readonly Fault[]; results: SweepResults },
): string[] {
  const width = Math.min(60, Math.max(...steps.map(({ name }) => name.length), 4));
  const cell = (step: ChangingStep, fault: Fault) => {
    const result = results.of(step.id, fault);
    if (!result) return '-';
    return result.problems.length === 0 ? 'passed' : plural(result.problems.length, 'problem');
  };
  return [
    '',
    `  #  ${'step'.padEnd(width)}  ${chosen.map((fault) => fault.padEnd(11)).join(' ')}`,
    ...steps.map((step) => {
      const number = String(all.indexOf(step) + 1).padStart(3);
      const cells = chosen.map((fault) => cell(step, fault).padEnd(11)).join(' ');
      return `${number}  ${step.name.slice(0, width).padEnd(width)}  ${cells}`;
    }),
  ];
}

function problemLines({ step, fault, problems }: CaseResult): string[] {
  return [
    `\n${step}, ${fault} (${faults[fault]}):`,
    ...problems.slice(0, 20).map((problem) => `  ${problem}`),
    ...(problems.length > 20 ? [`  and ${String(problems.length - 20)} more`] : []),
  ];
}

function playgroundOf(
  world: World,
  playbook: Playbook,
  { lab, inventory, hosts }: TestFlags,
): PlaygroundSpec {
  const input = playbook.inputs.find(({ isInventory }) => isInventory)?.name;
  const fromInput = input === undefined ? undefined : flagOf(input);
  const kind = lab ?? (wantsMke3(playbook) ? 'mke3:3+2' : 'hosts');
  const [, managers, workers] =
    /^mke3:(\d+)\+(\d+)$/.exec(kind === 'mke3' ? 'mke3:3+2' : kind) ?? [];
  if (managers !== undefined)
    return { kind: 'mke3', managers: Number(managers), workers: Number(workers) };
  if (kind !== 'hosts')
    throw new UsageError(`--lab must be "hosts" or "mke3:MANAGERS+WORKERS", not "${kind}".`);
  if (inventory !== undefined)
    return {
      kind: 'hosts',
      inventory: readInventory(world, inventory),
      input: fromInput,
    };
  const names = Array.from(
    { length: wholeNumber(hosts, '--hosts') },
    (_, index) => `h${String(index + 1)}`,
  );
  return { kind: 'hosts', inventory: loadInventory(`${names.join(',')},`), input: fromInput };
}

function chosenFaults(wanted: string | undefined): Fault[] {
  const known = Object.keys(faults) as Fault[];
  if (wanted === undefined) return known;
  return wanted.split(',').map((word) => {
    const fault = known.find((one) => one === word.trim());
    if (fault) return fault;
    throw new UsageError(`There is no fault "${word.trim()}".`, {
      hint: didYouMean(word.trim(), known) || `Faults: ${known.join(', ')}.`,
    });
  });
}

function wantsMke3({ inputs }: Playbook): boolean {
  return inputs.some(({ name }) => name === 'mke3_admin_username');
}

function chooseSteps(all: readonly ChangingStep[], wanted: string | undefined): ChangingStep[] {
  if (wanted === undefined) return [...all];
  const chosen = new Set<ChangingStep>();
  for (const word of wanted.split(',').map((one) => one.trim())) {
    const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(word) ?? [];
    const found =
      from === undefined
        ? all.filter(({ id, name }) => id === word || name === word)
        : all.slice(Number(from) - 1, Number(to ?? from));
    if (found.length === 0) {
      const names = all.map(({ name }) => name);
      throw new UsageError(`There is no changing step "${word}".`, {
        hint: didYouMean(word, names) || `The playbook has ${plural(all.length, 'changing step')}.`,
      });
    }
    for (const step of found) chosen.add(step);
  }
  return all.filter((step) => chosen.has(step));
}

function toPattern(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw new UsageError(`--ignore "${text}" is not a valid regular expression.`, {
      cause: error,
    });
  }
}
