import { createHash } from 'node:crypto';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { changeApprovalId } from '../../domain/ids.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { PlanChange } from '../../domain/schemas/plan-change.ts';
import type { ApprovalStore } from '../../stores/postgres/approvals.ts';
import type { PlanProposals } from '../../stores/postgres/plan-proposals.ts';
import type { ProposedChange } from '../../workflows/contract.ts';
import type { GoalEngine } from './goal-engine.ts';
import { previewChange, type ChangePreview, type PreviewDeps } from './plan-preview.ts';

interface Deps extends PreviewDeps {
  readonly engine: Pick<GoalEngine, 'proposeChange'>;
  readonly proposals: PlanProposals;
  readonly approvals: Pick<ApprovalStore, 'get'>;
}

interface Asked extends ChangePreview {
  readonly goalId: GoalId;
  readonly approvalId: string;
}

const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest();

/**
 * Has people asked about a change. It is kept first, so that the goal is told its id alone and makes what they were shown;
 * once more with the same id changes nothing.
 * @throws what `previewChange` throws
 */
export async function proposeChange(
  deps: Deps,
  goal: GoalRef,
  { change, ...proposed }: ProposedChange & { readonly change: PlanChange },
): Promise<Asked> {
  const { proposals, approvals, engine } = deps;
  const { tenant, goalId } = goal;
  const { changeId } = proposed;
  const known = await proposals.get(goal, changeId);
  const preview = known?.preview ?? (await previewChange(deps, goal, change));
  if (!known) await proposals.keep(goal, changeId, { change, preview });
  const approvalId = changeApprovalId(goalId, changeId, { digest });
  // The question may be known, and the goal have ended since.
  if (!(await approvals.get(tenant, approvalId))) await engine.proposeChange(goalId, proposed);
  return { goalId, approvalId, ...preview };
}
