import { selfSigned } from '../../src/lab/certificate.ts';
import { loadUpgrade, type UpgradeSetup } from '../../src/sim/mke/upgrade.ts';

let loaded: Pick<UpgradeSetup, 'playbook' | 'certificate'> | undefined;

/** The shipped upgrade, and hosts for it. */
export function modelSetup({ managers = 3, workers = 2 } = {}): UpgradeSetup {
  loaded ??= {
    playbook: loadUpgrade(),
    certificate: selfSigned(['127.0.0.1'], ['localhost', 'mke.example.com']).cert,
  };
  const names = [
    ...Array.from({ length: managers }, (_, index) => `manager${String(index + 1)}`),
    ...Array.from({ length: workers }, (_, index) => `worker${String(index + 1)}`),
  ];
  const hosts = names.map((hostname, index) => {
    return { hostname, address: `127.64.1.${String(11 + index)}`, machine: hostname };
  });
  return { ...loaded, hosts, dns: '127.0.0.1 5353', api: '127.0.0.1:8443' };
}
