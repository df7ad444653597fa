import { createHash } from 'node:crypto';
import { AstraError } from '../../domain/errors.ts';
import { changeApprovalId } from '../../domain/ids.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { PlanProposal, PlanProposals } from '../../stores/postgres/plan-proposals.ts';
import type { KernelActivities, OpenChangeArgs } from '../contract.ts';
import { askOnce, type Question } from '../execution/open-approval.ts';
import type { Values } from '../execution/values.ts';
import type { Recorder } from '../projection/recorder.ts';
import { orRefused, requireRevision } from './amend-plan.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly proposals: PlanProposals;
  readonly values: Values;
}

/** Asks people about a change of the plan, once. What they are shown is what will be made. */
export function createOpenChange(deps: Deps): KernelActivities['openChange'] {
  const { recorder } = deps;
  return (args) =>
    orRefused(async () => {
      const { goal, changeId } = args;
      const id = changeApprovalId(goal.goalId, changeId, { digest });
      return { approval: await askOnce(recorder, { goal, taskId: null, id }, () => questionOf(deps, args)) };
    });
}

const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest();

async function questionOf({ recorder, proposals, values }: Deps, args: OpenChangeArgs): Promise<Question> {
  const { goal, changeId, terms } = args;
  const proposal = await proposals.get(goal, changeId);
  if (!proposal) throw new AstraError('ASTRA_NOT_FOUND', 'The change is not kept. Propose it again.');
  const { baseRevision } = proposal.change;
  requireRevision(goal, (await recorder.standing(goal))?.outline ?? null, baseRevision);
  const { objective } = await recorder.head(goal);
  return {
    kind: 'plan',
    prompt: `Approve the change of the plan of: ${objective === '' ? goal.goalId : objective}`,
    change: { id: changeId, baseRevision, revision: null, error: null },
    terms,
    ...(await shown(values, goal, proposal)),
  };
}

/** The change and what it does. */
async function shown(
  values: Values,
  { tenant }: GoalRef,
  { change, preview }: PlanProposal,
): Promise<Pick<Question, 'input' | 'inputArtifact'>> {
  // A proposal comes out of a column of JSON.
  const input = { change, ...preview } as unknown as JsonObject;
  const kept = await values.toOutput(tenant, input);
  return 'output' in kept ? { input } : { input: null, inputArtifact: kept.artifact };
}
