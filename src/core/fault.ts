/** Places at which a test can end the controller, each on the edge between a record and what it promises. */
export const faultPoints = ['before-intent', 'after-intent', 'after-effect', 'after-undo'] as const;

export type FaultPoint = (typeof faultPoints)[number];

/** Called at each of them with the id of the step. Does not return where the test wants the end. */
export type FaultHook = (point: FaultPoint, step: string) => void;

/** What can go wrong at a step. */
export const faults = {
  fail: 'the step fails after its work',
  'kill-before': 'the controller is killed before the record of the step',
  'kill-after': 'the controller is killed after the record, before the effect',
  'kill-effect': 'the controller is killed after the effect, before its result is on record',
  cut: 'the line of one host is cut during the step',
  'kill-undo': 'the controller is killed in the rollback, so that the undo of the step runs twice',
  'undo-only': 'the undo of the step runs although the step never did',
} as const;

export type Fault = keyof typeof faults;
