import { expect } from 'vitest';
import type { CliResult } from './cli.ts';

/** A step on a real host, as an operator would try it: it is taken back, done, and done again. */
export interface ModuleScenario {
  title: string;
  /** Tasks in YAML, from the first column. */
  tasks: string;
  /** Shell text whose output is what the tasks change. */
  look: string;
  /** Shell text that must be found in the look after the tasks, as a part of it. */
  shows: string;
  /** Whether this machine has what it takes. */
  needs?: boolean;
  /** Steps that count as changed whenever they run. */
  alwaysChanges?: boolean;
  /** What the host needs first; shell text. */
  prepare?: string;
}

export interface ScenarioHost {
  play(playbook: string): Promise<CliResult>;
  shell(command: string): Promise<string>;
}

const playOf = (tasks: string): string =>
  `- name: Scenario\n  hosts: all\n  become: true\n  tasks:\n${tasks.trim().replaceAll(/^/gm, '    ')}\n`;

/** Taken back: all as before. Done: as wanted. Done again: nothing changes. */
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
