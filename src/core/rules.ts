/** What can be wrong with a playbook, known by its name on screens, in comments that silence it, and in docs/validation.md. */
export const rules = {
  'yaml-syntax': { severity: 'error', summary: 'The file is not YAML.' },
  encrypted: { severity: 'error', summary: 'A value is encrypted and cannot be opened.' },
  structure: {
    severity: 'error',
    summary: 'Something stands where it cannot stand, or is missing where it must be.',
  },
  'unknown-key': { severity: 'error', summary: 'A keyword does not exist here.' },
  'unknown-module': { severity: 'error', summary: 'There is no module or keyword of that name.' },
  'unknown-argument': { severity: 'error', summary: 'A module has no such argument.' },
  'wrong-type': {
    severity: 'error',
    summary: 'A value is of another type or form than it must be.',
  },
  'unquoted-mode': { severity: 'error', summary: 'A file mode is a number, not quoted text.' },
  'yaml-1.1-boolean': { severity: 'error', summary: 'yes, no, on and off are text in YAML 1.2.' },
  'missing-name': { severity: 'error', summary: 'A play or task has no name.' },
  'missing-file': { severity: 'error', summary: 'A file, template or role is not there.' },
  'broken-condition': { severity: 'error', summary: 'A condition does not parse.' },
  'broken-template': { severity: 'error', summary: 'A template does not parse.' },
  'undefined-variable': { severity: 'error', summary: 'Nothing defines a variable.' },
  'magic-variable': {
    severity: 'error',
    summary: 'A variable has a name that means something else already.',
  },
  'connection-variable': {
    severity: 'error',
    summary: 'A variable that says how hosts are reached is set where it has no effect.',
  },
  'unknown-handler': { severity: 'error', summary: 'A task notifies a handler that is not there.' },
  'no-undo': {
    severity: 'warning',
    summary: 'A task changes hosts and does not say how that is undone.',
  },
  'plain-secret': {
    severity: 'warning',
    summary: 'What looks like a secret stands there as plain text.',
  },
} as const satisfies Record<string, { severity: 'error' | 'warning'; summary: string }>;

export type Rule = keyof typeof rules;

/** A replacement in the line of the place, where it is certain what was meant. */
export interface Fix {
  /** What stands at the place now. */
  from: string;
  to: string;
}
