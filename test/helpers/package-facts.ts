export const known = (
  versions: Record<string, [installed: string | undefined, candidate: string]>,
) =>
  new Map(
    Object.entries(versions).map(([name, [installed, candidate]]) => [
      name,
      { installed, candidate },
    ]),
  );

export const restore = [
  { module: 'restore_packages', args: { copy: '/captured/var/lib/dpkg/status', checksum: 'ab' } },
];

export const rpm = (
  packages: Record<string, [installed?: string | undefined, newer?: string]>,
) => ({
  [`dnf.packages ${Object.keys(packages).join(' ')}`]: new Map(
    Object.entries(packages).map(([name, [installed, newer]]) => [name, { installed, newer }]),
  ),
  'dnf.state': { checksum: 'ab', transaction: 7 },
});
