import type { GoalId } from './schemas/common.ts';
import type { RetryPolicy, TaskKind } from './schemas/plan.ts';
import type { PlanSource } from './schemas/goal.ts';
import type { ToolManifest } from './schemas/tool.ts';

/** How the engine runs a tool call: the part of the manifest that scheduling needs. */
export type ToolBinding = Pick<
  ToolManifest,
  'workerClass' | 'execution' | 'effect' | 'timeoutSeconds' | 'compensable'
> & {
  /** Its calls took milliseconds when the goal was planned: several of them may share an activity. */
  readonly quick?: true;
};

/** A task without its data: what the workflow schedules by, and what the views show before it has run. */
export interface TaskOutline {
  readonly id: string;
  readonly kind: TaskKind;
  readonly title?: string;
  /** For `tool`, and the item's tool for `map`. */
  readonly tool?: string;
  /** All dependencies: the written ones and those found in expressions, without repetition. */
  readonly after: readonly string[];
  /** `park`: of a map, its items. */
  readonly onFailure?: 'continue' | 'park';
  readonly timeoutSeconds?: number;
  readonly retry?: RetryPolicy;
  readonly maxConcurrency?: number;
  readonly minSuccess?: number;
  /** For `wait`, unless it waits for an event. */
  readonly seconds?: number;
  /** For `goal`: the template's name, where the plan has it. */
  readonly template?: string;
  /** Revision of the plan in which it last began anew; 1 unless given. It is the run in the effect id. */
  readonly run?: number;
  /** For `goal`: goes on with the child of this run, trying these of its tasks again, rather than with a new child. */
  readonly retries?: { readonly run: number; readonly tasks: 'failed' | readonly string[] };
  /** For `goal`: the child is a fork of this one, in which these of its tasks run again. */
  readonly forks?: { readonly goalId: GoalId; readonly tasks: 'failed' | readonly string[] };
  /** By its own word, or its tool's. */
  readonly risk?: 'high';
  /** A rule of the tenant's, as the goal was planned, asked people about the call or denied it. */
  readonly guarded?: true;
}

export const runOf = ({ run = 1 }: Pick<TaskOutline, 'run'>): number => run;

/** A validated plan's shape with its tools resolved. The plan itself stays in the record; only this enters a history. */
export interface PlanOutline {
  readonly revision: number;
  readonly source: PlanSource;
  readonly tasks: readonly TaskOutline[];
  readonly tools: { readonly [name: string]: ToolBinding };
}

/** The tool's binding; a validated outline has one for each tool it names. */
export function bindingOf(outline: PlanOutline, task: TaskOutline): ToolBinding | undefined {
  return task.tool === undefined ? undefined : outline.tools[task.tool];
}

/** A task may raise its tool's risk, not lower it. */
export const riskOf = (
  { risk }: { readonly risk?: 'high' | undefined },
  manifest: Pick<ToolManifest, 'risk'> | undefined,
): ToolManifest['risk'] => (risk === 'high' || manifest?.risk === 'high' ? 'high' : 'low');

/** Is policy to be asked before the call runs? */
export const isGuarded = ({ risk, guarded }: TaskOutline): boolean => risk === 'high' || guarded === true;

/**
 * A pure and quick tool call, or a map of such: runs in a segment rather than in an activity of its own. What is parked is
 * gone on with by itself, and so runs by itself.
 */
export function isInline(outline: PlanOutline, task: TaskOutline): boolean {
  const calls = task.kind === 'tool' || task.kind === 'map';
  return calls && bindingOf(outline, task)?.execution === 'inline' && !isGuarded(task) && task.onFailure !== 'park';
}
