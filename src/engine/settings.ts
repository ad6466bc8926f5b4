import type { JsonObject } from '../core/json.ts';
import type { SourceObject } from '../core/value.ts';
import type { OnFailure } from '../language/document.ts';

/** What was asked for on the command line, as far as the engine follows it. */
export interface RunSettings {
  run: string;
  check: boolean;
  diff: boolean;
  tags: string[];
  skipTags: string[];
  limit: string | undefined;
  /** Ids of steps that are not done, since the run begins behind them. */
  leftOut: readonly string[];
  /** Hosts worked on at a time. */
  forks: number;
  /** Who runs it: user@machine. */
  owner: string;
  /** When the run was first started. */
  startedAt: Date;
  /** Runs whose locks are replaced. */
  takeOver: string[];
  onFailure: OnFailure | undefined;
  becomePassword: string | undefined;
  /** Given inputs and `--extra-vars`: the strongest level. */
  variables: JsonObject;
  /** Defaults of inputs that were not given: weaker than play variables. */
  inputDefaults: SourceObject;
  /** Points of no return the operator agreed to. */
  accepted: string[];
  /** Seconds that a rollback waits for hosts that are away; undefined for what the playbook says. */
  rollbackBudgetSeconds: number | undefined;
  /** Id of a step that is made to fail, after its work, on its first host: to try a rollback out. */
  failAt: string | undefined;
  /** That step comes before the first point of no return, which the run must not pass even if the step is skipped. */
  failsBeforePivot: boolean;
}
