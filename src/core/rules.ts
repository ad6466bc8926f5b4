/** Rules of `runner validate`. Their names appear in output, in comments that allow a finding, and in docs/validation.md. */
export const rules = {
  'yaml-syntax': { severity: 'error', summary: 'The file is not YAML.' },
  encrypted: { severity: 'error', summary: 'A value is encrypted and cannot be decrypted.' },
  structure: {
    severity: 'error',
    summary: 'An element is in a place where it is not allowed, or a required element is missing.',
  },
  'unknown-key': { severity: 'error', summary: 'A keyword does not exist here.' },
  'unknown-module': { severity: 'error', summary: 'There is no module or keyword with that name.' },
  'unknown-argument': { severity: 'error', summary: 'A module has no such argument.' },
  'wrong-type': {
    severity: 'error',
    summary: 'A value has the wrong type or format.',
  },
  'unquoted-mode': { severity: 'error', summary: 'A file mode is a number, not quoted text.' },
  'yaml-1.1-boolean': { severity: 'error', summary: 'yes, no, on and off are text in YAML 1.2.' },
  'missing-name': { severity: 'error', summary: 'A play or task has no name.' },
  'missing-file': { severity: 'error', summary: 'A file, template or role does not exist.' },
  'broken-condition': { severity: 'error', summary: 'A condition does not parse.' },
  'broken-template': { severity: 'error', summary: 'A template does not parse.' },
  'undefined-variable': { severity: 'error', summary: 'A variable is not defined.' },
  'magic-variable': {
    severity: 'error',
    summary: 'A variable has a reserved name.',
  },
  'connection-variable': {
    severity: 'error',
    summary: 'A connection variable is set where it has no effect.',
  },
  'unknown-handler': {
    severity: 'error',
    summary: 'A task notifies a handler that does not exist.',
  },
  'no-undo': {
    severity: 'warning',
    summary: 'A task changes hosts and declares no undo.',
  },
  'plain-secret': {
    severity: 'warning',
    summary: 'A value that looks like a secret is in plain text.',
  },
} as const satisfies Record<string, { severity: 'error' | 'warning'; summary: string }>;

export type Rule = keyof typeof rules;

/** A replacement in the same line, if the correction is certain. */
export interface Fix {
  /** The current text at the position. */
  from: string;
  to: string;
}
