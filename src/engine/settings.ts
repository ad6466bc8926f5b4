import type { JsonObject } from '../core/json.ts';
import type { SourceObject } from '../core/value.ts';
import type { OnFailure } from '../language/document.ts';

/** Command-line settings that the engine uses. */
export interface RunSettings {
  run: string;
  check: boolean;
  diff: boolean;
  tags: string[];
  skipTags: string[];
  limit: string | undefined;
  /** Ids of steps before the one that `--from` names, which are left out. */
  leftOut: readonly string[];
  /** Number of hosts to work on in parallel. */
  forks: number;
  /** Owner of the run: user@machine. */
  owner: string;
  /** When the run was first started. */
  startedAt: Date;
  /** Runs whose locks are replaced (`--take-over`). */
  takeOver: string[];
  onFailure: OnFailure | undefined;
  becomePassword: string | undefined;
  /** Inputs from the command line and `--extra-vars`: the highest precedence. */
  variables: JsonObject;
  /** Defaults of the other inputs: lower precedence than play variables. */
  inputDefaults: SourceObject;
  /** Points of no return that the operator accepted. */
  accepted: string[];
  /**
   * Seconds that a rollback waits for unreachable hosts; undefined for the setting of the playbook.
   */
  rollbackBudgetSeconds: number | undefined;
  /** Id of the `--fail-at` step, which fails on its first host after it ran. */
  failAt: string | undefined;
  /**
   * The `--fail-at` step precedes the first point of no return, which must not be passed even if
   * the step is skipped.
   */
  failsBeforeNoReturn: boolean;
}
