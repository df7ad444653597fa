import { verdictOf, type Verdict } from '../../domain/approvals/policy.ts';
import { AstraError } from '../../domain/errors.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { riskOf, type TaskOutline } from '../../domain/plan-outline.ts';
import type { ToolManifest } from '../../domain/schemas/tool.ts';
import type { PolicyMemory } from '../../stores/policy-memory.ts';
import type { Recorder } from '../projection/recorder.ts';

/** What a task's calls need by the tenant's policy as it is now. @param manifest the tool's, as this process knows it */
export type AskPolicy = (
  goal: GoalRef,
  task: TaskOutline,
  manifest: Pick<ToolManifest, 'risk'> | undefined,
) => Promise<Verdict>;

export function createAskPolicy(deps: {
  readonly policies: Pick<PolicyMemory, 'rulesOf'>;
  readonly recorder: Pick<Recorder, 'head'>;
}): AskPolicy {
  return async (goal, task, manifest) => {
    const rules = await deps.policies.rulesOf(goal.tenant);
    // Only a rule may ask whose goal it is.
    const agentId = rules.length > 0 ? (await deps.recorder.head(goal)).agentId : null;
    return verdictOf(rules, { tool: task.tool ?? '', agentId, risk: riskOf(task, manifest) });
  };
}

export const policyDenied = (tool: string): AstraError =>
  new AstraError(
    'ASTRA_POLICY_DENIED',
    `The approval policy denies "${tool}". Use another tool, or have the rule changed (GET /v1/approval-policies).`,
  );
