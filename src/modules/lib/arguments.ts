/** An argument that is one text, or a list of texts. */
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

/** The schema of an argument that the journal leaves out: the undo does without it. */
export const secret = <const S extends object>(schema: S): S => ({ ...schema, secret: true });
