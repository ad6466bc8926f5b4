/** Points at which a test can end the controller: each is between a record and the effect that it announces. */
export const faultPoints = ['before-intent', 'after-intent', 'after-effect', 'after-undo'] as const;

export type FaultPoint = (typeof faultPoints)[number];

/** Called at each of these points with the id of the step. Does not return if the test ends the controller there. */
export type FaultHook = (point: FaultPoint, step: string) => void;

/** Faults that a test can cause at a step. */
export const faults = {
  fail: 'the step fails after its work',
  'kill-before': 'the controller is killed before the record of the step',
  'kill-after': 'the controller is killed after the record, before the effect',
  'kill-effect': 'the controller is killed after the effect, before its result is recorded',
  cut: 'the connection of one host is lost during the step',
  'kill-undo': 'the controller is killed in the rollback, so that the undo of the step runs twice',
  'undo-only': 'the undo of the step runs although the step did not',
} as const;

export type Fault = keyof typeof faults;
