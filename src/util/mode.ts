/** The umask for symbols without a "who": the usual umask of login shells. */
const UMASK = 0o022;

const WHO = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 } as const;
const PERMISSIONS = { r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000 } as const;

/** Permissions as quoted octal digits or in the symbols of chmod(1). */
export const MODE_PATTERN =
  '^([0-7]{3,4}|[ugoa]*([-+=]([rwxXst]*|[ugo]))+(,[ugoa]*([-+=]([rwxXst]*|[ugo]))+)*)$';

/**
 * Applies a mode as chmod(1) does, by the rules of POSIX and GNU: "=" keeps set-id bits of a directory, and the umask applies without a "who".
 *
 * @param current octal, such as "0644"; empty for a path that does not exist yet
 * @returns octal with four digits
 */
export function octalMode(wanted: string, current: string, directory: boolean): string {
  if (/^[0-7]+$/.test(wanted)) return wanted.padStart(4, '0');
  let bits = Number.parseInt(current === '' ? (directory ? '755' : '644') : current, 8);
  for (const clause of wanted.split(',')) {
    const who = /^[ugoa]*/.exec(clause)?.[0] ?? '';
    const named = Object.entries(WHO).reduce(
      (mask, [one, its]) => (who.includes(one) ? mask | its : mask),
      0,
    );
    const mask = who === '' ? WHO.a & ~UMASK : named;
    for (const [, operator, permissions = ''] of clause.matchAll(/([-+=])([ugo]|[rwxXst]*)/g)) {
      const value = valueOf(permissions, bits, directory) & mask;
      if (operator === '+') bits |= value;
      else if (operator === '-') bits &= ~value;
      else {
        const kept = directory && !permissions.includes('s') ? 0o6000 : 0;
        bits = (bits & ~((who === '' ? WHO.a : named) & ~kept)) | value;
      }
    }
  }
  return bits.toString(8).padStart(4, '0');
}

function valueOf(permissions: string, bits: number, directory: boolean): number {
  const copied = ['o', 'g', 'u'].indexOf(permissions);
  if (copied !== -1) return ((bits >> (3 * copied)) & 7) * 0o111;
  let value = 0;
  for (const one of permissions) {
    if (one === 'X') value |= directory || (bits & 0o111) !== 0 ? PERMISSIONS.x : 0;
    else value |= PERMISSIONS[one as keyof typeof PERMISSIONS];
  }
  return value;
}
