/** Schema of an argument that is a string or a list of strings. */
export const textOrTexts = (description: string) =>
  ({
    anyOf: [
      { type: 'string', minLength: 1 },
      { type: 'array', items: { type: 'string', minLength: 1 } },
    ],
    description,
  }) as const;

export function listOf(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** Marks an argument that is kept out of the journal, so that an undo cannot use it. */
export const secret = <const S extends object>(schema: S): S => ({ ...schema, secret: true });
