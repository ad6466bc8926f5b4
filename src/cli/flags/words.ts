import { UsageError } from '../../core/errors.ts';

/** Collects the values of an option that may be repeated. */
export const collect = (value: string, known: string[] = []): string[] => [...known, value];

/** Refuses a second inventory, which would silently replace the first. */
export const once = (value: string, known?: string): string => {
  if (known !== undefined)
    throw new UsageError(`--inventory was given twice: "${known}" and "${value}".`, {
      hint: 'Give one inventory. To use several files, put them into a directory and give its path.',
    });
  return value;
};

/** Splits a comma-separated list and trims its parts. */
export function splitList(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/** @throws UsageError if the text is not a whole number above 0 */
export function wholeNumber(text: string, flag: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new UsageError(`${flag} must be a whole number above 0, not "${text}".`);
}
