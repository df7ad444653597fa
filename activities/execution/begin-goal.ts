import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { goalHeadOf } from '../../domain/goal-head.ts';
import { createGoalGraph } from '../../domain/goal-graph.ts';
import type { PlanOutline } from '../../domain/plan-outline.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { RecordedPlan } from '../../stores/goal-write.ts';
import type { BeginGoalArgs, BeginGoalResult, PlanGoalArgs } from '../contract.ts';
import { planAsGiven, type PlannerDeps } from '../planner/plan-as-given.ts';
import {
  planningDrafts,
  recordedOutline,
  recordSubmission,
  requireDepth,
  type PlannedGoal,
} from '../planner/record-planning.ts';
import { completionDrafts } from './complete-goal.ts';
import { followGraph, type SegmentCourse } from './follow-graph.ts';
import { outcomesToTell, segmentMs, type Segment, type SegmentDeps } from './segment.ts';

type Deps = SegmentDeps & PlannerDeps;

/** @param also is recorded behind the plan */
export type BeginGoal = (args: BeginGoalArgs, also?: readonly EventDraft[]) => Promise<BeginGoalResult>;

/** While the first segment runs nothing else of the goal does, so where there is something else it is a short one. */
const sharedSegmentMs = 50;

/**
 * Plans a goal whose plan is given and begins it, with one commit: a goal of quick tasks begins and ends in it.
 *
 * Should the process die before it has told, this runs again. What is recorded then is no news, so the first record
 * counts; and quick tasks have no effects, so running them twice does no harm.
 */
export function createBeginGoal(deps: Deps): BeginGoal {
  const { recorder } = deps;
  return async (args, also = []) => {
    // Templates change: tasks of another plan than the recorded one must not be run.
    const recorded = args.submission.template ? await recordedOutline(recorder, args) : null;
    if (recorded) {
      if (also.length > 0) await recorder.record(args.goal, also);
      return asRecorded(recorded);
    }
    try {
      requireDepth(args);
      return await begin(deps, args, { planned: await planAsGiven(deps, args), also });
    } catch (error) {
      if (!(error instanceof AstraError) || error.retryable) throw error;
      await recordSubmission(recorder, args);
      return { error: toErrorInfo(error) };
    }
  };
}

const asRecorded = (outline: PlanOutline): BeginGoalResult => ({ outline, begun: null, completed: false });

async function begin(
  deps: Deps,
  args: BeginGoalArgs,
  { planned, also }: { readonly planned: PlannedGoal; readonly also: readonly EventDraft[] },
): Promise<BeginGoalResult> {
  const { recorder } = deps;
  const { goal, submission, bodyHash, submittedBy } = args;
  const { outline, params } = planned;
  const plan: RecordedPlan = { plan: planned.plan, outline, params };
  const planOnly = args.planOnly ?? submission.approval?.plan === 'required';
  const first = planOnly ? null : await runFirstSegment(deps, args, plan);
  const { outcomes, status } = await recorder.record(
    goal,
    [...planningDrafts(args, planned), ...also, ...(first?.drafts ?? [])],
    { plan, submission: { documents: submission.documents ?? [], bodyHash, submittedBy } },
  );
  if (!first) return asRecorded(outline);
  const { deferred, apart } = first;
  const begun = { outcomes: outcomesToTell(outline.tasks, outcomes), deferred, ...(apart && { apart }) };
  return { outline, begun, completed: status === 'completed' };
}

interface FirstSegment extends Pick<SegmentCourse, 'drafts' | 'deferred'> {
  /** Nothing was run: the goal's calls are counted one by one. */
  readonly apart?: true;
}

/** Null: no task at the plan's beginning is quick, or a store that they need is away, which must not keep up others. */
async function runFirstSegment(deps: Deps, args: PlanGoalArgs, plan: RecordedPlan): Promise<FirstSegment | null> {
  const { goal } = args;
  const { outline } = plan;
  const tasks = createGoalGraph(outline).takeSegment();
  if (tasks.length === 0) return null;
  const head = goalHeadOf({ ...args, ...goal });
  if (deps.budgets.scopesWith(head)) return { drafts: [], deferred: [], apart: true };
  const segment: Segment = {
    goal,
    outline,
    tasks,
    settled: {},
    budgetMs: tasks.length === outline.tasks.length ? segmentMs : sharedSegmentMs,
    unrecorded: { outputs: new Map(), goal: { input: head.input, plan } },
  };
  const course = await orNullWhileAway(followGraph(deps, segment));
  if (!course?.finished || tasks.length < outline.tasks.length) return course;
  const end = await orNullWhileAway(completionDrafts(deps, goal, plan.plan, segment.unrecorded));
  // The workflow will ask for the goal's completion, and be told what is wrong with its output.
  return end === null || 'error' in end ? course : { ...course, drafts: [...course.drafts, ...end] };
}

async function orNullWhileAway<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AstraError && error.code === 'ASTRA_UNAVAILABLE') return null;
    throw error;
  }
}
