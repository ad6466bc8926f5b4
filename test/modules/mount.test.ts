import { mount } from '../../src/modules/mount.ts';
import { absent, fileFact, testModule } from '../helpers/module-tester.ts';
import { fileOf, restoredFile } from '../helpers/file-facts.ts';

const data = { path: '/data', src: '/dev/sdb1', fstype: 'ext4' };

const entry = '/dev/sdb1 /data ext4 defaults 0 0\n';

const root = '# fixed\nUUID=1 / ext4 errors=remount-ro 0 1\n';

const mounted = {
  src: '/dev/sdb1',
  fstype: 'ext4',
  own: ['rw', 'relatime'],
  opts: ['rw', 'relatime'],
  isPart: false,
  elsewhere: [],
};

const bound = {
  ...mounted,
  src: '/dev/sda1',
  isPart: true,
  elsewhere: ['/srv/data'],
};

const place = (now: object | undefined, fstab: string) => ({
  'system.mount /data': now,
  'file.state /data': fileFact({ type: 'directory' }),
  ...fileOf('/etc/fstab', fstab),
});

testModule(mount, {
  settled: [
    {
      title: 'the file system is mounted and in fstab',
      args: { ...data, state: 'mounted' },
      facts: place(mounted, `${root}/dev/sdb1\t/data  ext4 defaults 0 0\n`),
    },
    {
      title: 'the file system is mounted by its label',
      args: { ...data, src: 'LABEL=data', state: 'mounted' },
      facts: place(mounted, `${root}LABEL=data /data ext4 defaults 0 0\n`),
    },
    {
      title: 'the file system is neither mounted nor in fstab',
      args: { path: '/data', state: 'absent' },
      facts: place(undefined, root),
    },
    {
      title: 'the file system is in fstab',
      args: { ...data, state: 'present' },
      facts: place(undefined, root + entry),
    },
    {
      title: 'the file system is mounted without an fstab entry',
      args: { ...data, state: 'ephemeral' },
      facts: place(mounted, root),
    },
  ],
  changes: [
    {
      title: 'mounts now and at boot',
      args: { ...data, state: 'mounted' },
      facts: { ...place(undefined, root), 'file.state /data': absent },
      actions: ['write /etc/fstab', 'mkdir /data', 'exec mount -- /data'],
      restore: [
        { module: 'mount', args: { path: '/data', state: 'unmounted' } },
        restoredFile('/etc/fstab', root),
        { module: 'restore_path', args: { path: '/data', state: 'absent' } },
      ],
    },
    {
      title: 'mounts another file system; the undo mounts the old one',
      args: { ...data, src: '/dev/sdc1', state: 'mounted' },
      facts: place(mounted, root + entry),
      actions: ['write /etc/fstab', 'exec umount -- /data', 'exec mount -- /data'],
      restore: [
        { module: 'mount', args: { path: '/data', state: 'unmounted' } },
        {
          module: 'mount',
          args: { ...data, state: 'ephemeral', opts: 'rw,relatime' },
        },
        restoredFile('/etc/fstab', root + entry),
      ],
    },
    {
      title: 'remounts with other options',
      args: { ...data, opts: 'noatime', state: 'mounted' },
      facts: place(mounted, root + entry),
      actions: ['write /etc/fstab', 'exec mount -o remount,noatime /data'],
    },
    {
      title: 'unmounts and removes the fstab entry',
      args: { path: '/data', state: 'absent' },
      facts: place(mounted, root + entry),
      actions: ['write /etc/fstab', 'exec umount /data'],
      restore: [
        { module: 'mount', args: { ...data, state: 'ephemeral', opts: 'rw,relatime' } },
        restoredFile('/etc/fstab', root + entry),
      ],
    },
    {
      title: 'unmounts a bind mount; the undo mounts it again',
      args: { path: '/data', state: 'unmounted' },
      facts: place(bound, root),
      actions: ['exec umount /data'],
      restore: [
        {
          module: 'mount',
          args: {
            path: '/data',
            state: 'ephemeral',
            src: '/srv/data',
            fstype: 'none',
            opts: 'bind,rw,relatime',
          },
        },
      ],
    },
    {
      title: 'binds another directory',
      args: { path: '/data', src: '/srv/new', fstype: 'none', opts: 'bind', state: 'mounted' },
      facts: place(bound, root),
      actions: ['write /etc/fstab', 'exec umount -- /data', 'exec mount -- /data'],
    },
    {
      title: 'unmounts and keeps the fstab entry',
      args: { path: '/data', state: 'unmounted' },
      facts: place(mounted, root),
      actions: ['exec umount /data'],
    },
    {
      title: 'mounts with options, without an fstab entry',
      args: { ...data, opts: 'ro', state: 'ephemeral' },
      facts: place(undefined, root),
      actions: ['exec mount -t ext4 -o ro -- /dev/sdb1 /data'],
      restore: [{ module: 'mount', args: { path: '/data', state: 'unmounted' } }],
    },
  ],
  refused: [
    {
      title: '"state: mounted" without a source',
      args: { path: '/data', state: 'mounted' },
      code: 'TASK_FAILED',
    },
    {
      title: 'a file as the mount point',
      args: { ...data, state: 'mounted' },
      facts: { ...place(undefined, root), 'file.state /data': fileFact({}) },
      code: 'TASK_FAILED',
    },
    {
      title: 'remounting without a mounted file system',
      args: { path: '/data', state: 'remounted' },
      facts: place(undefined, root),
      code: 'TASK_FAILED',
    },
  ],
});
