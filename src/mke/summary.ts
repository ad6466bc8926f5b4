import type { Unconverted } from './convert/types.ts';

export interface SummaryFacts {
  unconverted: Unconverted[];
  later: { feature: string }[];
  users: number;
  orgs: number;
  teams: number;
  mke3Version: string;
  metallbPools: { name: string; addresses: string[] }[];
  /** Sentences about the nodes, one per line. */
  nodes?: string[] | undefined;
}

/** Ports of MKE 3 that are free after the upgrade. */
const freedPorts =
  '2377, 6444, 7946, 9055, 12376, 12378, 12379, 12380, 12381, 12382, 12383, 12384, 12385, 12386, 12387, 12388, 12389, 12391, 12392, 179, 12390, 2376, 443';

const LINE = '-'.repeat(15);

/** The text that `mkectl upgrade` prints at the end, section by section. */
export function upgradeSummary(facts: SummaryFacts): string {
  const { unconverted, later, users, orgs, teams, mke3Version, metallbPools } = facts;
  const configuration =
    unconverted.length === 0
      ? 'All MKE 3 settings were converted.'
      : [
          'These settings were not converted:',
          ...unconverted.map(
            ({ key, value, why, what }) => `  ${key} = ${value}: ${why}; ${what}.`,
          ),
        ].join('\n');
  const features = [...new Set(later.map(({ feature }) => feature))];
  const waiting =
    features.length === 0
      ? ''
      : `\nConfigured, but not active until you apply the configuration: ${features.join(', ')}.`;
  const sections: [string, string][] = [
    ['Configuration file', `${configuration}${waiting}`],
    [
      'Authentication',
      `Users found in the MKE3 cluster: ${String(users)}\nAll users are kept. Only the administrator keeps their password.`,
    ],
    [
      'Authorization',
      `Organizations found in the MKE3 cluster: ${String(orgs)}\nTeams found in the MKE3 cluster: ${String(teams)}\nThey become aggregated roles when you apply the MKE 4 configuration.`,
    ],
    ['Ports', `No longer used:\n[${freedPorts}]`],
    ['MCR', 'MCR (the Docker engine) is no longer needed. You can uninstall it.'],
    ['MKE3 Cleanup', `MKE ${mke3Version} was uninstalled from the cluster successfully.`],
  ];
  if (facts.nodes && facts.nodes.length > 0) sections.push(['Nodes', facts.nodes.join('\n')]);
  if (metallbPools.length > 0) {
    const pools = metallbPools.map(
      ({ name, addresses }) => `name: ${name}\nipaddress: [${addresses.join(' ')}]`,
    );
    sections.push([
      'MetalLB IP address pools',
      [...pools, 'Create these pools again after you have applied the MKE 4 configuration.'].join(
        '\n',
      ),
    ]);
  }
  const body = sections.map(([title, text]) => `${title}\n${LINE}\n${text}\n`);
  return ['Upgrade Summary', LINE, ...body].join('\n');
}
