import { workflowInfo } from '@temporalio/workflow';
import { draftEvent } from '../domain/draft-event.ts';
import type { GoalRef } from '../domain/goal-ref.ts';
import type { PlanOutline } from '../domain/plan-outline.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import type { EventData, EventDraft, EventType } from '../domain/schemas/event.ts';
import type { TaskGraph } from '../domain/task-graph.ts';
import { kernel } from './activities.ts';
import type { ProposedChange } from './contract.ts';
import type { GoalControl } from './control.ts';
import type { GoalPage } from './goal-page.ts';
import type { GoalPolicy } from './goal-policy.ts';
import type { MapRoom } from './map-room.ts';
import type { Parking } from './parking.ts';
import type { Pause } from './pause.ts';
import type { Replans } from './replan.ts';

export interface GoalEnd {
  /** The goal's completion is recorded: a cancel comes too late. */
  completed: boolean;
}

/** One goal while its plan runs: what every task's code is given. */
export interface GoalRun {
  /** With the plan's revision. */
  goal: GoalRef;
  /** 0 for a goal that a client submitted, one more for each goal above it. */
  readonly depth: number;
  /** An operator has reset this workflow, or one above it: tasks that it begins may have ended before. */
  readonly repeated: boolean;
  outline: PlanOutline;
  graph: TaskGraph;
  /** Is the plan being changed? Meanwhile nothing starts. */
  amending: boolean;
  /** Tasks that a new plan ends: what comes of them is of no interest. */
  superseded: ReadonlySet<string>;
  readonly control: GoalControl;
  readonly pause: Pause;
  /** When the goal pauses by itself; null: it does not. */
  readonly policy: GoalPolicy | null;
  readonly page: GoalPage;
  readonly mapRoom: MapRoom;
  readonly parking: Parking;
  /** Has the last segment used up its time, so that another follows it at once? */
  segmentsInARow: boolean;
  readonly end: GoalEnd;
  /** By task, in order: why the goal will fail. */
  readonly failures: Map<string, ErrorInfo>;
  /** Null: a task that fails for good fails the goal. */
  readonly replans: Replans | null;
  /** By their ids: changes of the plan that people are asked about. */
  readonly proposed: Map<string, ProposedChange>;
}

/** The goal as its plan's activities know it. A first revision is not said, as it was not when there was no other. */
export const atRevision = ({ tenant, goalId }: GoalRef, { revision }: PlanOutline): GoalRef =>
  revision === 1 ? { tenant, goalId } : { tenant, goalId, revision };

/** A reset gives the execution another run id than the one that it began with. */
export function isRepeated({ repeated = false }: { readonly repeated?: boolean }): boolean {
  const { runId, originalExecutionRunId } = workflowInfo();
  return repeated || runId !== originalExecutionRunId;
}

/** A draft dated by the workflow's own clock, which replays. */
export const draft = <T extends EventType>(type: T, data: EventData[T], taskId: string | null = null): EventDraft =>
  draftEvent(type, data, { at: new Date(), taskId });

export async function recordEvents(goal: GoalRef, ...events: readonly EventDraft[]): Promise<void> {
  if (events.length > 0) await kernel.recordEvents({ goal, events });
}
