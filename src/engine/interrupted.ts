/** The operator ends the run before its next step. Not an error of the run: whoever catches it says so. */
export class Interrupted extends Error {}
