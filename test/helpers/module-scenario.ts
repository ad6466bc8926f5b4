import { expect } from 'vitest';
import type { CliResult } from './cli.ts';
import { itWith, type Need } from './programs.ts';

/**
 * Tasks on a real host, run as an operator would try them: first with a rollback, then without,
 * then again.
 */
export interface ModuleScenario {
  /** A noun phrase, such as "unarchive of a zip file". */
  title: string;
  /** Tasks in YAML, from the first column. */
  tasks: string;
  /** Shell command that prints the state that the tasks change. */
  look: string;
  /** Text that `look` prints after the tasks, but not before. */
  shows: string;
  /** Packages that the host needs besides a minimal Debian. */
  needs?: readonly Need[];
  /** The tasks report a change every time they run. */
  alwaysChanges?: boolean;
  /** Shell command that prepares the host. */
  prepare?: string;
}

export interface ScenarioHost {
  play(playbook: string): Promise<CliResult>;
  shell(command: string): Promise<string>;
}

const playOf = (tasks: string): string =>
  `- name: Scenario\n  hosts: all\n  become: true\n  tasks:\n${tasks.trim().replaceAll(/^/gm, '    ')}\n`;

/** Declares the test of a scenario; `host` is called when the test runs. */
export function itPlays(scenario: ModuleScenario, host: () => ScenarioHost): void {
  const { title, needs = [], alwaysChanges = false } = scenario;
  const claim = alwaysChanges
    ? 'rolls back and applies'
    : 'rolls back, applies, and changes nothing when played again';
  itWith(...needs)(`${title}: ${claim}`, () => checkScenario(scenario, host()));
}

/**
 * A failed play restores the previous state, a second play applies the tasks, and a third one
 * changes nothing.
 */
export async function checkScenario(scenario: ModuleScenario, host: ScenarioHost): Promise<void> {
  const { tasks, look, shows, prepare, alwaysChanges = false } = scenario;
  if (prepare !== undefined) await host.shell(prepare);
  const before = await host.shell(look);
  expect(before).not.toContain(shows);

  const failing = `${tasks.trim()}\n- { name: Fails, fail: { msg: no } }`;
  const back = await host.play(playOf(failing));
  expect(back.code, back.stdout + back.stderr).toBe(3);
  expect(await host.shell(look), 'after the rollback').toBe(before);

  const done = await host.play(playOf(tasks));
  expect(done.code, done.stdout + done.stderr).toBe(0);
  expect(await host.shell(look), 'after the play').toContain(shows);

  if (alwaysChanges) return;
  const again = await host.play(playOf(tasks));
  expect(again.code, again.stdout + again.stderr).toBe(0);
  const changed = again.events.flatMap((event) =>
    event.type === 'unit-end' && event.state === 'changed' ? [event.step.name] : [],
  );
  expect(changed, 'changed by the second play').toEqual([]);
}
