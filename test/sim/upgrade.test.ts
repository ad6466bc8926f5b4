import { describe, expect, it } from 'vitest';
import { checkJournal } from '../../src/checker/check-journal.ts';
import { Chance } from '../../src/sim/chance.ts';
import { UnknownProgram } from '../../src/sim/model-host.ts';
import { docker } from '../../src/sim/mke/docker.ts';
import { UpgradeRun } from '../../src/sim/mke/upgrade.ts';
import { modelSetup } from '../helpers/model-upgrade.ts';

const LAST_STEP =
  'migrate-worker-nodes-to-k0s-release-the-hold-on-eviction/release-the-hold-on-eviction/restart-the-controller';

const journalProblems = ({ disk, hosts }: UpgradeRun): string[] => {
  const started = hosts.flatMap((host) => host.startedUnits('simulated'));
  return checkJournal(disk.bytes.toString('utf8'), started);
};

describe('the upgrade on model hosts', () => {
  it('moves every node to k0s and removes MKE 3 completely', async () => {
    const one = new UpgradeRun(modelSetup(), new Chance(1));
    await one.process('play', {});
    expect(one.story).toEqual(['play: done']);
    expect(one.problems).toEqual([]);
    expect(journalProblems(one)).toEqual([]);
    const { cluster, hosts } = one;
    expect(hosts.flatMap(({ lock }) => lock ?? [])).toEqual([]);
    expect([...cluster.swarm.nodes.keys()]).toEqual([]);
    expect(cluster.plane?.tokens.size).toBe(0);
    expect([...(cluster.plane?.controllers ?? [])]).toEqual(['manager1', 'manager2', 'manager3']);
    const isController = [true, true, true, false, false];
    expect(
      cluster.nodes.map(({ containers, host: { services, tree } }, index) => {
        const unit = isController[index] === true ? 'k0scontroller.service' : 'k0sworker.service';
        const volumes = tree.children('/var/lib/docker/volumes');
        return [containers.size, services.get(unit), volumes];
      }),
    ).toEqual(cluster.nodes.map(() => [0, { active: true, enabled: true, loaded: '' }, []]));
  });

  it('is rolled back completely from the last step before the point of no return', async () => {
    const one = new UpgradeRun(modelSetup(), new Chance(1));
    await one.process('play', { settings: { failAt: LAST_STEP } });
    expect(one.story).toEqual(['play: rolled_back']);
    expect(one.problems).toEqual([]);
    expect(journalProblems(one)).toEqual([]);
    expect(one.lines()).toEqual(one.states.get(''));
    expect(one.hosts.flatMap(({ lock }) => lock ?? [])).toEqual([]);
  });

  it('fails the test if a program has no model', () => {
    const [node] = new UpgradeRun(modelSetup(), new Chance(1)).cluster.nodes;
    expect(node && (() => docker(node, ['ps', '--size']))).toThrow(UnknownProgram);
  });
});
