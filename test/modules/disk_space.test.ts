import { disk_space } from '../../src/modules/disk_space.ts';
import { testModule } from '../helpers/module-tester.ts';

const disk = (place: string, device: string, mib: number, freeInodes?: number) => ({
  ...{ place, device, free: mib * 2 ** 20, freeInodes },
});

const writes = [
  { path: '/var/lib/k0s', mib: 2048, inodes: 100, for: 'images' },
  { path: '/var/lib/k0s/etcd', mib: 0.4, for: 'the database' },
  { path: '/var/lib/work', mib: 0, for: 'the snapshot' },
];

const onPaths = 'disk.filesystems /var/lib/k0s /var/lib/k0s/etcd /var/lib/work';

testModule(disk_space, {
  settled: [
    {
      title: 'each file system has enough space, also without an inode count',
      args: { needs: writes },
      facts: {
        [onPaths]: [disk('/', '1', 2048, 100), disk('/e', '2', 1), disk('/', '1', 2048, 100)],
      },
      result: {
        filesystems: [
          { path: '/', free_mib: 2048, needed_mib: 2048 },
          { path: '/e', free_mib: 1, needed_mib: 1 },
        ],
      },
    },
  ],
  refused: [
    {
      title: 'needs that exceed the free space together',
      args: { needs: writes },
      facts: {
        [onPaths]: [disk('/', '1', 2048, 100), disk('/', '1', 2048, 100), disk('/w', '2', 0)],
      },
      code: 'TASK_FAILED',
    },
    {
      title: 'too few inodes',
      args: { needs: writes },
      facts: {
        [onPaths]: [disk('/', '1', 4096, 99), disk('/', '1', 4096, 99), disk('/', '1', 4096, 99)],
      },
      code: 'TASK_FAILED',
    },
  ],
});
