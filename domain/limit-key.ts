import { createParse, evaluateToJson, type Expression } from './expressions.ts';
import { AstraError } from './errors.ts';
import type { Json } from './json.ts';
import type { GoalHead } from './schemas/goal.ts';
import type { LimitDefinition } from './schemas/limit.ts';

const goalFields = ['objective', 'input', 'labels', 'priority', 'template', 'agentId'] as const;
const ofGoal = { tenant: 'any', goal: goalFields } as const;
const parsers = {
  goal: createParse(ofGoal),
  task: createParse({ ...ofGoal, tool: 'any', task: ['id'] }),
};

/** @throws ASTRA_EXPRESSION_FAILED, which says what is wrong with the key */
export const parseLimitKey = ({ of = 'goal', key }: Pick<LimitDefinition, 'of' | 'key'>): Expression =>
  parsers[of](key);

/** What a key may name. */
export interface Limited {
  readonly head: GoalHead;
  /** The call, where that is what is counted. */
  readonly call?: { readonly tool: string; readonly taskId: string };
}

/**
 * The bucket in which a limit counts a goal or a call: the key's value as text. Null: the limit does not apply, because
 * the value is null, or because there is none, as of `goal.labels.customer` where the goal has no such label.
 */
export function bucketOf(limit: Pick<LimitDefinition, 'of' | 'key'>, { head, call }: Limited): string | null {
  const own = {
    tenant: head.tenant,
    goal: Object.fromEntries(goalFields.map((field) => [field, head[field]])),
    ...(call ? { tool: call.tool, task: { id: call.taskId } } : {}),
  };
  try {
    const value: Json = evaluateToJson(parseLimitKey(limit), { own });
    if (value === null) return null;
    return typeof value === 'string' ? value : JSON.stringify(value);
  } catch (error) {
    if (error instanceof AstraError && error.code === 'ASTRA_EXPRESSION_FAILED') return null;
    throw error;
  }
}
