import type { Fault } from '../errors.ts';
import { hasExpression } from '../expressions.ts';
import { jsonPointer, valueAt } from '../json-pointer.ts';
import type { Json, JsonObject } from '../json.ts';
import { limits } from '../limits.ts';
import { tryParse } from '../schemas/parse.ts';
import { goalSubmissionSchema } from '../schemas/goal.ts';
import type { Plan } from '../schemas/plan.ts';
import { splitSubGoalBody } from '../sub-goal-body.ts';
import type { CheckedPlan, PlanContext } from './check-plan.ts';

/** Stands for a plan that is checked by itself, or known only at run time, while the rest of a body is checked. */
export const placeholderPlan: Plan = { tasks: [{ id: 'placeholder', kind: 'wait', seconds: 0 }] };

interface Checker {
  readonly context: PlanContext;
  /** Given, because the two call each other. */
  readonly checkPlan: (plan: unknown, context: PlanContext) => CheckedPlan;
}

/**
 * What can be said beforehand of the goal body of a `goal` task: members whose value is an expression are looked at when
 * they are evaluated, a plan that is written out is checked as a plan of its own.
 * @param path leads to the body
 */
export function checkSubGoal(body: JsonObject, path: readonly PropertyKey[], { context, checkPlan }: Checker): Fault[] {
  const { childPlan } = splitSubGoalBody(body);
  const hasPlan = childPlan !== undefined || (typeof body.plan === 'string' && hasExpression(body.plan));
  const checkable = hasPlan ? { ...body, plan: placeholderPlan } : body;
  const ofBody = tryParse(goalSubmissionSchema, checkable).faults.filter(({ pointer }) => {
    const value = valueAt(body, pointer);
    return typeof value !== 'string' || !hasExpression(value);
  });
  const ofPlan = childPlan === undefined ? [] : checkChildPlan(childPlan, { context, checkPlan });
  const prefix = jsonPointer(path);
  return [
    ...checkWaits(body, prefix),
    ...ofBody.map(({ pointer, message }) => ({ pointer: `${prefix}${pointer}`, message })),
    ...ofPlan.map(({ pointer, message }) => ({ pointer: `${prefix}/plan${pointer}`, message })),
  ];
}

/** A child that waits for its parent, or for what waits for that, would never end: a plan has `after` for this. */
function checkWaits({ dependsOnGoalIds }: JsonObject, prefix: string): Fault[] {
  if (dependsOnGoalIds === undefined) return [];
  const message = 'a sub-goal waits by its task: give the task `after`';
  return [{ pointer: `${prefix}/dependsOnGoalIds`, message }];
}

function checkChildPlan(plan: Json, { context, checkPlan }: Checker): readonly Fault[] {
  const depth = context.depth + 1;
  if (depth > limits.subGoalDepth) {
    return [{ pointer: '', message: `goals may stand in one another at most ${limits.subGoalDepth} deep` }];
  }
  // A child is a goal by itself: what it needs of the parent's params is passed to it as input.
  return checkPlan(plan, { ...context, allowParams: false, depth }).faults;
}
