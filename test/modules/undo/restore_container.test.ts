import { expect } from 'vitest';
import { restore_container } from '../../../src/modules/undo/restore_container.ts';
import { docker, inspected, listed, specification } from '../../helpers/cluster-facts.ts';
import { testModule } from '../../helpers/module-tester.ts';

const again = { name: 'web', running: true, socket: '/s', specification };

const named = { [`container.image ${docker} app:1`]: 'sha256:1' };

testModule(restore_container, {
  settled: [
    {
      title: 'the container exists and is running',
      args: again,
      facts: { ...named, ...listed(['name=^/web$'], inspected('web')) },
    },
  ],
  changes: [
    {
      title: 're-creates the container with all its networks and starts it',
      args: again,
      facts: { ...named, ...listed(['name=^/web$']) },
      actions: [
        expect.stringContaining('post /s /containers/create?name=web') as string,
        expect.stringContaining('post /s /networks/other/connect') as string,
        'exec docker start web',
      ],
    },
  ],
  refused: [
    {
      title: 'a different container of that name',
      args: again,
      facts: {
        ...named,
        ...listed(['name=^/web$'], inspected('web', { Config: { Cmd: ['other'] } })),
      },
      code: 'TASK_FAILED',
    },
  ],
});
