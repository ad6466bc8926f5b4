/**
 * Thrown when the operator interrupts the run before its next step. It is not a failure of the run.
 */
export class Interrupted extends Error {}
