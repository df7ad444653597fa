import { AstraError } from '../../domain/errors.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import type { ErrorInfo, GoalId } from '../../domain/schemas/common.ts';
import { plannerNameSchema, type TaskStatus } from '../../domain/schemas/goal.ts';
import type { PlannedChange } from '../../domain/schemas/plan-change.ts';
import type { Plan } from '../../domain/schemas/plan.ts';

/** A task of the plan as it stands. */
export interface PlannedTaskState {
  readonly id: string;
  readonly status: TaskStatus;
  /** Of a completed task one of the two: an output beyond 8 KiB is an artifact. */
  readonly output?: Json;
  readonly artifact?: Artifact;
  readonly error: ErrorInfo | null;
}

/** What a planner is told of a goal a task of which has failed. All of it is a copy. */
export interface ReplanContext {
  readonly tenant: string;
  readonly goalId: GoalId;
  readonly objective: string;
  readonly input: JsonObject;
  /** Of the goal's template. */
  readonly params: JsonObject;
  /** The template's, if the goal is of one that has one. */
  readonly fallbackPlan: Plan | null;
  /** As it is now, in its latest revision. */
  readonly plan: Plan;
  /** In the plan's order. */
  readonly tasks: readonly PlannedTaskState[];
  readonly failure: { readonly taskId: string; readonly code: string; readonly message: string };
  /** Counts from 1 to `limit`. */
  readonly attempt: number;
  readonly limit: number;
  /** Why the change was not made that this planner proposed last; null: there was none. */
  readonly refusal: string | null;
  /** Aborted on cancel and on time-out. Pass it on to everything that waits. */
  readonly signal: AbortSignal;
}

export interface PlannerDefinition {
  readonly name: string;
  /** For one answer; 60 unless given, at most 540. */
  readonly timeoutSeconds?: number;
  /**
   * A change of the plan that removes or replaces the failed task, or null: there is nothing to be done. It is checked like any
   * other. Asked again, with the same attempt, when the worker died before the answer was kept.
   */
  readonly replan: (context: ReplanContext) => Promise<PlannedChange | null> | PlannedChange | null;
}

/** A planner ready to be asked. What it answers is not believed to be a change. */
export interface Planner {
  readonly name: string;
  readonly timeoutSeconds: number;
  replan(context: ReplanContext): Promise<unknown>;
}

const longestSeconds = 540;

/** A planner of one's own. @throws ASTRA_PARAMETER_INVALID when the definition itself is wrong */
export function definePlanner({ name, timeoutSeconds = 60, replan }: PlannerDefinition): Planner {
  const refuse = (message: string): never => {
    throw new AstraError('ASTRA_PARAMETER_INVALID', `The planner ${name} is not valid: ${message}`);
  };
  if (!plannerNameSchema.safeParse(name).success) refuse('its name must be a lower-case one of at most 63 characters');
  if (!(timeoutSeconds > 0 && timeoutSeconds <= longestSeconds)) {
    refuse(`timeoutSeconds must be more than 0 and at most ${longestSeconds}`);
  }
  return { name, timeoutSeconds, replan: async (context) => replan(context) };
}
