import { expect } from 'vitest';
import { restore_attributes } from '../../../src/modules/undo/restore_attributes.ts';
import { attributes } from '../../helpers/file-facts.ts';
import { testModule } from '../../helpers/module-tester.ts';

testModule(restore_attributes, {
  settled: [
    {
      title: 'the paths have the attributes or no longer exist',
      args: { name: '/srv', found: { '0755 1 0': ['/srv/a', '/srv/gone'] } },
      facts: {
        'file.attributes of ["/srv/a","/srv/gone"]': [
          attributes('/srv/a', { mode: '0755', uid: 1 }),
        ],
      },
    },
  ],
  changes: [
    {
      title: 'restores the owner before the mode, because chown clears set-ID bits',
      args: { name: '/srv', found: { '4755 1 0': ['/srv/a', '/srv/l'], '0600 0 0': ['/srv/b'] } },
      facts: {
        'file.attributes of ["/srv/a","/srv/l","/srv/b"]': [
          attributes('/srv/a', { mode: '4755' }),
          attributes('/srv/l', { mode: '0777', type: 'link' }),
          attributes('/srv/b'),
        ],
      },
      actions: [
        expect.stringContaining('each / chown -h 1:0') as string,
        expect.stringContaining('each / chmod 04755') as string,
        expect.stringContaining('each / chmod 00600') as string,
      ],
    },
  ],
});
