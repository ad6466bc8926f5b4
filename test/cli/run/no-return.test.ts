import { describe, expect, it } from 'vitest';
import { acceptedPoints } from '../../../src/cli/run/no-return.ts';
import { documentOf } from '../../helpers/walk.ts';
import { quietWorld } from '../../helpers/world.ts';

const playbook = documentOf(`
- name: P
  hosts: all
  tasks:
    - { name: Look, command: look, tags: [look] }
    - { name: Wipe, command: wipe, irreversible: all data is lost }
    - block:
        - commit: Done
          irreversible: customers see it
    - commit: Plain
`);

const accepted = (
  names: string[] | undefined,
  check = false,
  chosen: { tags?: string[]; leftOut?: string[] } = {},
): Promise<string[]> =>
  acceptedPoints(quietWorld(), playbook, {
    ...{ check, chosen: { tags: [], skipTags: [], leftOut: [], ...chosen } },
    options: names ? { acceptIrreversible: names } : {},
  });

describe('a point of no return', () => {
  it('must be accepted by name before the run starts', async () => {
    expect(await accepted(['Done', 'Wipe'])).toEqual(['Done', 'Wipe']);
    await expect(accepted(['Wipe'])).rejects.toMatchObject({
      message:
        'This playbook has a point of no return, "Done": customers see it. No host was contacted.',
      hint: 'To accept it, add --accept-irreversible Done.',
    });
    await expect(accepted(undefined)).rejects.toThrow('"Wipe": all data is lost');
  });

  it('need not be accepted again when the run is resumed', async () => {
    const options = { acceptIrreversible: ['Done'] };
    const before = ['Wipe', 'Gone'];
    const world = quietWorld();
    expect(await acceptedPoints(world, playbook, { options, before })).toEqual([...before, 'Done']);
  });

  it('need not be accepted if "--tags" or "--from" leaves it out', async () => {
    expect(await accepted(undefined, false, { tags: ['look'] })).toEqual([]);
    await expect(accepted(undefined, false, { tags: ['untagged'] })).rejects.toThrow('"Wipe"');
    await expect(accepted(undefined, false, { leftOut: ['p/wipe'] })).rejects.toThrow('"Done"');
  });

  it('need not be accepted in check mode', async () => {
    expect(await accepted(undefined, true)).toEqual(['Wipe', 'Done']);
  });

  it('must exist to be accepted, also in check mode', async () => {
    await expect(accepted(['Wpie'])).rejects.toMatchObject({
      hint: expect.stringContaining('"Wipe"') as string,
    });
    await expect(accepted(['Plain'], true)).rejects.toMatchObject({
      ...{ code: 'USAGE', hint: 'Use one of Wipe, Done.' },
    });
  });
});
