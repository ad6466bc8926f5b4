/** Places at which a test can end the controller, each on the edge between a record and what it promises. */
export const faultPoints = ['before-intent', 'after-intent', 'after-effect', 'after-undo'] as const;

export type FaultPoint = (typeof faultPoints)[number];

/** Called at each of them with the id of the step. Does not return where the test wants the end. */
export type FaultHook = (point: FaultPoint, step: string) => void;
