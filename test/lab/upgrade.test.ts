import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { parse } from 'yaml';
import { LAB_ADMIN } from '../../src/lab/mke3-answers.ts';
import { labTree } from '../../src/lab/tree.ts';
import { hostsIn, stepNames } from '../helpers/cli.ts';
import { findingsIn, UpgradeBench } from '../helpers/upgrade.ts';

let bench: UpgradeBench;
afterEach(() => bench.stop());

const BACKUP_PASSPHRASE = 'staple battery horse';

/** Files of the controller, of the hosts and of their shared directory that contain the password. */
const filesWithPassword = (password = LAB_ADMIN.password): string => {
  const { dir } = bench.cluster.lab.files;
  const places = [bench.cli.dir, join(dir, 'hosts'), join(dir, 'cluster')];
  const script = 'password=$1; shift; grep -rlF -e "$password" "$@" || true';
  return execFileSync('sh', ['-c', script, 'sh', password, ...places]).toString();
};

describe('the shipped upgrade', () => {
  beforeEach(async () => {
    bench = await UpgradeBench.start({ managers: 1, workers: 1 });
  });

  it('rejects an invalid public key, and a public key together with a passphrase, before the first change', async () => {
    const recipient = await identityToRecipient(await generateIdentity());
    const damaged = await bench.upgrade(['--backup-recipient', `${recipient}x`]);
    expect(damaged.code).toBe(1);
    expect(damaged.stderr).toContain(
      `--backup-recipient: "${recipient}x" is not an age public key`,
    );
    const before = labTree(bench.cluster.lab);
    const both = await bench.upgrade(['--backup-recipient', recipient], {
      env: { RUNNER_BACKUP_PASSPHRASE: BACKUP_PASSPHRASE },
    });
    expect(both.code).toBe(2);
    expect(findingsIn(both.events)).toContain(
      'yes backup_encryption keys of the backup Public keys and a passphrase are given',
    );
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });

  it('completes, and is rolled back completely, if Docker has another data directory', async () => {
    for (const {
      root: { dir },
    } of bench.cluster.lab.hosts) {
      mkdirSync(join(dir, 'srv'), { recursive: true });
      renameSync(join(dir, 'var/lib/docker'), join(dir, 'srv/docker'));
      writeFileSync(join(dir, 'var/lib/lab/docker/root'), '/srv/docker\n');
      const containers = join(dir, 'var/lib/lab/docker/containers');
      for (const name of readdirSync(containers)) {
        const mounts = join(containers, name, 'mounts');
        if (!existsSync(mounts)) continue;
        const text = readFileSync(mounts, 'utf8');
        writeFileSync(mounts, text.replaceAll('/var/lib/docker', '/srv/docker'));
      }
    }
    const before = labTree(bench.cluster.lab);
    const { code, events } = await bench.upgrade(['--fail-at', 'last']);
    expect(code, JSON.stringify(events.at(-1))).toBe(3);
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });

  it('reports every missing input before it contacts a host', async () => {
    const { code, stderr } = await bench.cli.run(['play', 'upgrade.yml', '--config-out', 'x'], {
      env: { MKE3_ADMIN_PASSWORD: '' },
    });
    expect(code).toBe(1);
    for (const flag of ['--hosts-path', '--mke3-admin-username', 'MKE3_ADMIN_PASSWORD'])
      expect(stderr).toContain(flag);
    expect(stderr).toContain('No host was contacted');
  });

  it('suggests the closest flag for an unknown one', async () => {
    const { code, stderr } = await bench.cli.run(['play', 'upgrade.yml', '--hosts-pth', 'x']);
    expect(code).toBe(1);
    expect(stderr).toContain('--hosts-path');
  });

  it('does not start until "--accept-irreversible" names its point of no return', async () => {
    const { code, stderr } = await bench.cli.run(['play', 'upgrade.yml', ...bench.inputs()]);
    expect(code).toBe(1);
    expect(stderr).toContain('--accept-irreversible remove-mke3');
  });

  it('runs every pre-upgrade check before it fails, and reports all failed checks of a host', async () => {
    const worker = bench.cluster.lab.host('worker1');
    mkdirSync(join(worker.root.dir, 'var/lib/k0s/pki'), { recursive: true });
    writeFileSync(join(worker.root.dir, 'var/lib/k0s/pki/ca.key'), '');
    const { code, events } = await bench.upgrade(['--extra-vars', 'minimum_free_mib:=999999999']);
    expect(code).toBe(2);
    const found = findingsIn(events);
    expect(found).toMatch(
      new RegExp(
        String.raw`yes space host ${worker.address} The file system at \S+ has \d+ MiB free, but 999999999 are needed: 999999999 for images and data of k0s in /var/lib/k0s\.`,
      ),
    );
    expect(found).toContain(
      `yes no_k0s host ${worker.address} Found files of an earlier k0s, or other files in their place: /var/lib/k0s/pki. Remedy: k0s stop; k0s reset`,
    );
    // The cluster checks run as well.
    expect(found).toContain('load_balancer mke.example.com');
    expect(events.at(-1)).toMatchObject({
      message: expect.stringMatching(/3 findings block the upgrade: no_k0s on host/) as string,
    });
  });

  it('does not start with Swarm services on the cluster unless their loss is acknowledged', async () => {
    writeFileSync(join(bench.cluster.lab.files.shared, 'swarm/services/shop'), '');
    const lost = await bench.upgrade();
    expect(lost.code).toBe(2);
    expect(findingsIn(lost.events)).toContain(
      'yes swarm_services service shop The service is removed with the Swarm. Remedy: docker service inspect shop',
    );
    const accept = bench.accept(['swarm_services', 'service shop']);
    const accepted = await bench.cli.run(['plan', 'upgrade.yml', ...bench.inputs(), ...accept]);
    expect(accepted.code, accepted.stdout).toBe(0);
  });

  it('rejects an encryption key that k0s cannot use before it stops MKE 3', async () => {
    const volume = 'var/lib/docker/volumes/ucp-node-certs/_data';
    const file = join(bench.cluster.lab.host('manager1').root.dir, volume, 'encryption.cfg');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/secret: .*/, 'secret: c2hvcnQ='));
    const { code, events } = await bench.upgrade();
    expect(code).toBe(2);
    expect(findingsIn(events)).toMatch(
      /yes keys host \S+ The MKE 3 keys cannot be copied to k0s: \S+encryption\.cfg: key "key" of provider "aescbc" has 5 bytes/,
    );
  });

  it('removes only MKE 3 objects, even if user objects have similar names', async () => {
    const shared = bench.cluster.lab.files.shared;
    const worker = bench.cluster.lab.host('worker1').root.dir;
    const engine = join(worker, 'var/lib/lab/docker');
    const containers = (): string[] => readdirSync(join(engine, 'containers')).sort();
    const container = (name: string, image: string): void => {
      const dir = join(engine, 'containers', name);
      mkdirSync(dir);
      const lines = { image, id: name, state: 'running', restart: 'always', args: '[]' };
      for (const [file, line] of Object.entries(lines)) writeFileSync(join(dir, file), `${line}\n`);
    };
    container('ucp-mything', 'registry.example.com/shop/ucp-mything:3.7.16');
    container('my-ucp-tool', 'mirantis/ucp-proxy:3.7.16');
    container('k8s_tool', 'registry.example.com/web:1');
    const volumes = ['my-ucp-data', 'ucp-mything', 'ucp-node-certs'];
    for (const name of volumes)
      mkdirSync(join(worker, 'var/lib/docker/volumes', name, '_data'), { recursive: true });
    writeFileSync(join(engine, 'networks/ucp-mine'), '');
    for (const name of ['configs/com.docker.mine', 'services/ucp-shop'])
      writeFileSync(join(shared, 'swarm', name), '');

    const { code, events, stdout } = await bench.upgrade(
      bench.accept(
        ['swarm_services', 'config com.docker.mine'],
        ['swarm_services', 'service ucp-shop'],
      ),
    );
    expect(code, stdout).toBe(0);
    expect(containers()).toEqual(['k8s_tool', 'my-ucp-tool', 'ucp-mything']);
    for (const name of containers()) {
      const read = (file: string) => readFileSync(join(engine, 'containers', name, file), 'utf8');
      expect([name, read('state'), read('restart')]).toEqual([name, 'running\n', 'always\n']);
    }
    expect(readdirSync(join(worker, 'var/lib/docker/volumes')).sort()).toEqual([
      'my-ucp-data',
      'ucp-mything',
    ]);
    expect(readdirSync(join(engine, 'networks'))).toEqual(['ucp-mine']);
    expect(readdirSync(join(shared, 'swarm/services'))).toEqual([]);
    const shown = events.flatMap((event) => (event.type === 'document' ? [event.text] : []));
    expect(shown[0]).toContain('services (1): ucp-shop\nconfigs (1): com.docker.mine\n');
  });

  it('saves definitions of the Swarm objects on the hosts, and encrypted on the controller', async () => {
    const identity = await generateIdentity();
    const recipient = ['--backup-recipient', await identityToRecipient(identity)];
    const { shared } = bench.cluster.lab.files;
    const spec = {
      Name: 'shop_web',
      Labels: { 'com.docker.stack.namespace': 'shop' },
      TaskTemplate: {
        ContainerSpec: {
          Image: 'registry.example.com/shop:7',
          Env: ['TOKEN=hush'],
          Secrets: [{ SecretName: 'shop-key', File: { Name: 'key', Mode: 288 } }],
        },
      },
      Mode: { Replicated: { Replicas: 2 } },
    };
    mkdirSync(join(shared, 'swarm/secrets'), { recursive: true });
    writeFileSync(join(shared, 'swarm/services/shop_web'), `2\n${JSON.stringify(spec)}\n`);
    writeFileSync(join(shared, 'swarm/secrets/shop-key'), '');
    const worker = bench.cluster.lab.host('worker1');
    mkdirSync(join(worker.root.dir, 'var/lib/docker/volumes/shop-data/_data'), { recursive: true });
    const accept = bench.accept(
      ['swarm_services', 'service shop_web'],
      ['swarm_services', 'secret shop-key'],
    );
    const { code, events, stdout } = await bench.upgrade([...accept, ...recipient]);
    expect(code, stdout).toBe(0);
    const texts = events.flatMap((event) => (event.type === 'document' ? [event.text] : []));
    expect(texts.filter((text) => text.includes('without encryption'))).toEqual([]);
    expect(texts.filter((text) => text.includes('services (1): shop_web'))).toHaveLength(2);
    expect(stdout).not.toContain('hush');

    const manager = bench.cluster.lab.host('manager1');
    const backups = join(bench.cli.dir, '.mke/backups');
    const run = join(backups, readdirSync(backups)[0] ?? '');
    const kept = join(run, 'swarm');
    const onHost = join(manager.root.dir, 'var/lib/mke-upgrade/swarm');
    const names = ['secrets.json', 'services.json', 'stack-shop.yaml'];
    const filesIn = (place: string) =>
      readdirSync(place)
        .filter((name) => name !== 'configs')
        .sort();
    expect(filesIn(onHost)).toEqual(names);
    expect(filesIn(join(kept, manager.address))).toEqual(names.map((name) => `${name}.age`));
    for (const file of readdirSync(run, { recursive: true, encoding: 'utf8' })) {
      const path = join(run, file);
      if (statSync(path).isDirectory()) continue;
      expect(file).toMatch(/\.age$/);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(readFileSync(path, 'latin1')).toMatch(/^age-encryption\.org\/v1\n-> X25519 /);
    }
    expect(filesIn(run)).toEqual(['etcd.db.age', 'mke3-backup.tar.age', 'swarm']);

    const key = bench.cli.file('key.txt', `${identity}\n`);
    const decrypted = async (path: string): Promise<string> =>
      (await bench.cli.run(['decrypt', path, '--identity', key, '--output', '-'])).stdout;
    const compose = join(onHost, 'stack-shop.yaml');
    expect(statSync(compose).mode & 0o777).toBe(0o600);
    const text = readFileSync(compose, 'utf8');
    expect(await decrypted(join(kept, manager.address, 'stack-shop.yaml.age'))).toBe(text);
    expect(text).toContain('# - secret shop-key: its value cannot be read; create it first\n');
    expect(parse(text)).toMatchObject({
      services: { web: { environment: ['TOKEN=hush'], deploy: { replicas: 2 } } },
      secrets: { 'shop-key': { external: true } },
    });
    const volumes = await decrypted(join(kept, worker.address, 'volumes.json.age'));
    expect(JSON.parse(volumes)).toMatchObject([
      { Name: 'shop-data', Driver: 'local', kib: expect.any(Number) as number, mode: '755' },
    ]);
    expect(await decrypted(join(run, 'etcd.db.age'))).toContain('revision 48211');
  });

  it('does not start with AlwaysPullImages and without a registry, but starts if the plugin is left out', async () => {
    const airgapped = ['--mke3-airgapped', 'true'];
    const { code, events } = await bench.upgrade(airgapped);
    expect(code).toBe(2);
    expect(findingsIn(events)).toMatch(
      /yes image_plugins cluster_config\.k8s_always_pull_images_ac_enabled.* --leave-out AlwaysPullImages/,
    );
    const leaveOut = ['--leave-out', 'AlwaysPullImages'];
    const args = ['plan', 'upgrade.yml', ...bench.inputs(), ...airgapped, ...leaveOut];
    const plan = await bench.cli.run(args);
    expect(plan.code, plan.stdout.slice(-2000)).toBe(0);
    expect(plan.stdout).toContain('"service-account-issuer"');
    expect(plan.stdout).not.toContain('AlwaysPullImages');
  });

  it('does not start with a flag that k0s does not support, unless the finding is acknowledged', async () => {
    const newer = ['--k0s-version', 'v1.99.0+k0s.0'];
    const { code, events } = await bench.upgrade(newer);
    expect(code).toBe(2);
    expect(findingsIn(events)).toMatch(/yes component_flags k0s_version, v1\.99\.0.* cannot check/);
    const skip = bench.accept(
      ['component_flags', 'k0s_version, v1.99.0+k0s.0'],
      ['k0s_release', 'etcd of MKE 3'],
    );
    const plan = await bench.cli.run(['plan', 'upgrade.yml', ...bench.inputs(), ...newer, ...skip]);
    expect(plan.code, plan.stdout.slice(-2000)).toBe(0);
  });

  it('reports the known bugs of an older k0s release, and none for the default release', async () => {
    const older = ['--k0s-version', 'v1.29.5+k0s.0'];
    const args = ['plan', 'upgrade.yml', ...bench.inputs()];
    const { code, stdout } = await bench.cli.run([...args, ...older]);
    expect(code, stdout).toBe(0);
    expect(stdout).toContain('k0s_release        k0s v1.29.5+k0s.0');
    const shown = stdout.replaceAll(/\s+/g, ' ');
    expect(shown).toMatch(/"k0s reset" waits for containerd .*Fixed in v1\.29\.6\./);
    expect(shown).toMatch(/"k0s reset" deletes the data .*Fixed in v1\.29\.11\./);
    expect(shown).not.toContain('A node does not start again');
    expect((await bench.cli.run(args)).stdout).not.toContain('k0s_release');
  });

  it('rejects a k0s release whose etcd does not accept the MKE 3 data', async () => {
    const { code, events } = await bench.upgrade([...['--k0s-version', 'v1.34.1+k0s.0']]);
    expect(code).toBe(2);
    expect(findingsIn(events)).toMatch(
      /yes k0s_release etcd of MKE 3 k0s v1\.34\.1\+k0s\.0 has etcd 3\.6.* MKE 3 has etcd 3\.5\.9\. Choose a release before v1\.34/,
    );
  });

  it('runs custom checks from files in "host_checks"', async () => {
    const own = bench.cli.file(
      'raid.yml',
      '- { name: Never well, fail: { msg: The RAID is broken. } }\n',
    );
    const { code, events } = await bench.upgrade([
      ...['--extra-vars', `host_checks:=["space","${own.replace(/\.yml$/, '')}"]`],
    ]);
    expect(code).toBe(2);
    expect(findingsIn(events)).toMatch(/yes raid host \S+ The RAID is broken\. Remedy: /);
  });

  it('shows phases, undo coverage and the new configuration in its plan without changing the hosts', async () => {
    const before = labTree(bench.cluster.lab);
    const { code, stdout } = await bench.cli.run(['plan', 'upgrade.yml', ...bench.inputs()]);
    expect(stdout).toContain('[undo: declared]');
    expect(stdout).toContain('undo coverage 100 %');
    expect(stdout).toContain('MKE3->MKE4 Compatibility Checks');
    expect(stdout).toContain('[cluster_config]');
    expect(stdout).toContain('kind: MkeConfig');
    expect(stdout).toContain('are stored on this machine without encryption, in');
    expect(code).toBe(0);
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });

  it('lists the undos after a failure at a step, in order, in "plan --fail-at"', async () => {
    const args = ['plan', 'upgrade.yml', ...bench.inputs(), '--fail-at', 'Stop the pod containers'];
    const { code, stdout } = await bench.cli.run(args);
    expect(code).toBe(0);
    const names = stdout
      .slice(stdout.indexOf('Rollback order'))
      .split('\n')
      .flatMap((line) => /^ {2}(?:declared|auto|none) +([^:]+):/.exec(line)?.[1] ?? []);
    expect(names.slice(0, 5)).toEqual([
      'Stop the pod containers',
      'Stop the MKE 3 containers',
      'Copy the snapshot out of the container',
      'Take a snapshot of etcd',
      'Create the snapshot directory',
    ]);
    expect(names.at(-1)).toBe('Create the backup directory');
  });

  it('accepts the password as a flag with a warning, and fails before the first change if it is wrong', async () => {
    const before = labTree(bench.cluster.lab);
    const { code, stdout, stderr } = await bench.upgrade([
      '--mke3-admin-password',
      'not-the-password',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('Use MKE3_ADMIN_PASSWORD instead');
    expect(stdout).toContain('rejected the login');
    expect(stdout + stderr).not.toContain('not-the-password');
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });

  it('writes an MKE 4.1 configuration with the registry and its CA, and is rolled back', async () => {
    const before = labTree(bench.cluster.lab);
    const results = join(bench.cli.dir, 'results-4.1');
    const { code } = await bench.upgrade([
      ...['--target', '4.1', '--image-registry', 'reg.example.com/mke', '--mke3-airgapped'],
      ...['--image-registry-ca-file', bench.cli.file('ca.pem', 'an authority\n')],
      ...['--output-dir', results, '--fail-at', 'last'],
    ]);
    expect(code).toBe(3);
    expect(readFileSync(join(results, 'mke4.yaml'), 'utf8')).toContain('url: reg.example.com/mke');
    expect(labTree(bench.cluster.lab)).toEqual(before);
  });

  it('does not start with a webhook that keeps k0s from creating its pods', async () => {
    const { shared } = bench.cluster.lab.files;
    const list = join(shared, 'kube/apis/admissionregistration.k8s.io/v1');
    mkdirSync(list, { recursive: true });
    const clientConfig = { service: { namespace: 'policy', name: 'guard' } };
    const rules = [{ apiGroups: [''], operations: ['CREATE'], resources: ['pods'] }];
    const webhooks = [{ name: 'guard.example.com', failurePolicy: 'Fail', clientConfig, rules }];
    const items = [{ metadata: { name: 'guard' }, webhooks }];
    writeFileSync(join(list, 'validatingwebhookconfigurations.json'), JSON.stringify({ items }));
    const { code, events } = await bench.upgrade();
    expect(code).toBe(2);
    const found = findingsIn(events);
    expect(found).toContain(
      'yes webhooks ValidatingWebhookConfiguration guard, webhook guard.example.com The webhook rejects',
    );
    expect(found).toMatch(
      /policy\/guard .*\(no ready endpoint even now\)\. Set "failurePolicy: Ignore"/,
    );
    expect(found).toContain('Remedy: kubectl edit ValidatingWebhookConfiguration/guard');
  });

  it('uses the backup image from the MKE 3 registry, also on hosts with SELinux', async () => {
    const engine = join(bench.cluster.lab.host('manager1').root.dir, 'var/lib/lab/docker');
    const image = (name: string) => {
      writeFileSync(
        join(engine, 'containers', name, 'image'),
        `reg.example.com/mke/${name}:3.7.16\n`,
      );
    };
    for (const name of readdirSync(join(engine, 'containers')))
      if (name.startsWith('ucp-')) image(name);
    writeFileSync(join(engine, 'selinux'), '');
    const missing = await bench.upgrade(['--fail-at', 'last']);
    expect(missing.code).toBe(2);
    expect(findingsIn(missing.events)).toMatch(
      /yes backup_image image \S+ The leader \S+ does not have the backup image reg\.example\.com\/mke\/ucp:3\.7\.16 .*: no such manifest: reg\S+\. Pull or load it/,
    );
    const named = await bench.upgrade([
      ...[
        '--backup-image',
        'mirantis/ucp:3.7.16',
        '--fail-at',
        'Pause the MKE agents on every node',
      ],
    ]);
    expect(named.code, named.stdout).toBe(3);
    writeFileSync(
      join(bench.cluster.lab.files.shared, 'registry'),
      'reg.example.com/mke/ucp:3.7.16\n',
    );
    const pulled = await bench.upgrade(['--fail-at', 'last']);
    expect(pulled.code, pulled.stdout).toBe(3);
  });

  it('keeps the backup and the etcd snapshot on the controller after a rollback, readable only by its user', async () => {
    const { code, events } = await bench.upgrade(['--fail-at', 'Stop the MKE 3 containers']);
    expect(code).toBe(3);
    expect(findingsIn(events)).toContain('warning no backup_encryption backup The backup of MKE 3');
    const kept = join(bench.cli.dir, '.mke/backups');
    const runs = readdirSync(kept);
    expect(runs).toHaveLength(1);
    for (const file of ['mke3-backup.tar', 'etcd.db']) {
      const path = join(kept, runs[0] ?? '', file);
      expect(statSync(path).size).toBeGreaterThan(0);
      expect(statSync(path).mode & 0o077).toBe(0);
    }
  });

  it('writes no password to its output, the journal or the hosts, even after a resumed run', async () => {
    const env = { RUNNER_BACKUP_PASSPHRASE: BACKUP_PASSPHRASE };
    const stopped = await bench.upgrade(
      [
        ...['--output-dir', join(bench.cli.dir, 'results'), '--on-failure', 'stop'],
        ...['--fail-at', 'Take a snapshot of etcd'],
      ],
      { env },
    );
    expect(stopped.code, stopped.stdout).toBe(5);
    const resumed = await bench.cli.run(['resume', '--output', 'json'], { env });
    expect(resumed.code, resumed.stdout).toBe(0);
    const backups = join(bench.cli.dir, '.mke/backups');
    const run = join(backups, readdirSync(backups)[0] ?? '');
    expect(readdirSync(run).sort()).toEqual(['etcd.db.age', 'mke3-backup.tar.age']);
    const output = [stopped, resumed].map(({ stdout, stderr }) => stdout + stderr).join('\n');
    for (const password of [LAB_ADMIN.password, BACKUP_PASSPHRASE]) {
      expect(output).not.toContain(password);
      expect(filesWithPassword(password)).toBe('');
    }
    const words = ['decrypt', join(run, 'etcd.db.age'), '--output', '-'];
    const read = await bench.cli.run(words, { env });
    expect(read.stdout).toContain('revision 48211');
  });
});

describe('the shipped upgrade of 3 managers and 2 workers', () => {
  beforeEach(async () => {
    bench = await UpgradeBench.start({ managers: 3, workers: 2 });
  });

  it('restores every file after a failure at the last step before the point of no return', async () => {
    const before = labTree(bench.cluster.lab);
    const { code, events } = await bench.upgrade(['--fail-at', 'last']);
    expect(code).toBe(3);
    expect(events.at(-1)).toMatchObject({ type: 'run-end', outcome: 'rolled_back' });
    // Each new controller puts the etcd quorum at risk, so the members are checked before and after it joins.
    const checkedOn = (name: string) => new Set(hostsIn(events, name, 'ok')).size;
    expect(checkedOn('Check that every controller lists the same etcd members')).toBe(2);
    expect(checkedOn('Check that every controller lists the new etcd member')).toBe(3);
    expect(events.filter((event) => event.type === 'fingerprint' && !event.equal)).toEqual([]);
    expect(labTree(bench.cluster.lab)).toEqual(before);
    expect(filesWithPassword()).toBe('');
  });

  it('migrates the cluster to MKE 4', async () => {
    const results = join(bench.cli.dir, 'results');
    // A label whose value is the name of a kubelet profile selects it.
    const labels = join(bench.cluster.lab.files.shared, 'swarm/nodes/worker2/labels');
    writeFileSync(join(labels, 'kubelet'), 'gpu\n');
    const { code, events, stdout, stderr } = await bench.upgrade(['--output-dir', results]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const files = [
      ...['compatibility.txt', 'mke3.toml', 'mke4.yaml', 'preChecks.txt', 'preflight.json'],
      ...['preflight.md', 'summary.txt'],
    ];
    expect(readdirSync(results)).toEqual(files);
    for (const file of files) expect(statSync(join(results, file)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(results, 'preChecks.txt'), 'utf8')).toMatch(
      /^Pre-upgrade checks: nothing blocks the upgrade, 3 not blocking/,
    );
    expect(events.filter((event) => event.type === 'unit-end' && event.state === 'failed')).toEqual(
      [],
    );
    const plays = events.flatMap((event) => (event.type === 'play-start' ? [event.play] : []));
    const phases = [
      'Pre-upgrade checks',
      'Pre-upgrade migrations',
      'Migrate manager nodes to k0s',
      'Migrate worker nodes to k0s',
      'Post-upgrade cleanup',
      'Output the new MKE 4 config file',
    ];
    expect([...new Set(plays.map((play) => play.split(':')[0]))]).toEqual(phases);
    const config = parse(readFileSync(bench.configOut, 'utf8')) as {
      kind: string;
      spec: { hosts: unknown[] };
    };
    expect(config.kind).toBe('MkeConfig');
    const titles = events.flatMap((event) => (event.type === 'document' ? [event.title] : []));
    expect(titles).not.toContain('Lost with the Swarm');
    expect(config.spec.hosts).toHaveLength(5);
    expect(statSync(bench.configOut).mode & 0o777).toBe(0o600);
    expect(stdout).toContain('Upgrade Summary');
    const shared = bench.cluster.lab.files.shared;
    for (const { name, root } of bench.cluster.lab.hosts) {
      expect(readFileSync(join(shared, 'kube/nodes', name, 'version'), 'utf8')).toBe(
        'v1.29.15+k0s\n',
      );
      expect(existsSync(join(root.dir, 'var/lib/lab/docker/containers/ucp-proxy'))).toBe(false);
    }
    const first = bench.cluster.lab.host('manager1').root.dir;
    expect(readFileSync(join(first, 'var/lib/k0s/etcd/member/snap/db'), 'utf8')).toContain(
      'revision 48211',
    );
    expect(stepNames(events).at(-1)).toBe('Save the summary');
    const profiles = events.flatMap((event) =>
      event.type === 'unit-end' && event.state === 'changed' && /^Install the/.test(event.step.name)
        ? (event.actions ?? []).flatMap((action) => /--profile=\S+/.exec(action) ?? ['default'])
        : [],
    );
    expect(profiles.sort()).toEqual([
      ...['--profile=gpu', '--profile=mke-manager', '--profile=mke-manager'],
      ...['--profile=mke-manager', 'default'],
    ]);
    expect(parse(readFileSync(join(first, 'etc/k0s/k0s.yaml'), 'utf8'))).toMatchObject({
      spec: {
        api: { extraArgs: { 'audit-policy-file': '/var/lib/k0s/audit-policy.yaml' } },
        storage: { etcd: { extraArgs: { 'quota-backend-bytes': '4294967296' } } },
        network: { calico: { mtu: 1450, vxlanVNI: 10000 } },
        workerProfiles: [
          { name: 'default', values: { maxPods: 150, kubeReserved: { cpu: '100m' } } },
          { name: 'mke-manager', values: { maxPods: 150, kubeReserved: { cpu: '250m' } } },
          { name: 'gpu', values: { maxPods: 40, kubeReserved: { cpu: '500m' } } },
        ],
      },
    });
    const policy = join(first, 'var/lib/k0s/audit-policy.yaml');
    expect(statSync(policy).mode & 0o777).toBe(0o640);
    expect(readFileSync(policy, 'utf8')).toContain('level: Metadata');
    expect(statSync(join(first, 'var/lib/k0s/audit')).mode & 0o777).toBe(0o770);
  });
});
