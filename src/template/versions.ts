import { TemplateError } from '../core/errors.ts';

/** `version("3.7.16", ">=", "3.7.12")`: compares dotted numbers; a suffix after them is ignored. */
export function compareVersions(a: string, operator: string, b: string): boolean {
  const order = versionOrder(a, b);
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      throw new TemplateError(`version() supports ==, !=, <, <=, > and >=, not "${operator}".`);
  }
}

function versionOrder(a: string, b: string): number {
  const numbers = (text: string) => (/\d+(?:\.\d+)*/.exec(text)?.[0] ?? '0').split('.').map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}
