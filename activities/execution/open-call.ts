import { isApproved } from '../../domain/approvals/approval-details.ts';
import type { Verdict } from '../../domain/approvals/policy.ts';
import { AstraError } from '../../domain/errors.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { JsonObject } from '../../domain/json.ts';
import { limits } from '../../domain/limits.ts';
import { isGuarded, runOf } from '../../domain/plan-outline.ts';
import type { ToolCatalogue } from '../../stores/tool-catalogue.ts';
import type { OpenedApproval, TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { policyDenied, type AskPolicy } from './ask-policy.ts';
import { openApproval, type Question } from './open-approval.ts';
import type { PlannedTask, TaskScopes } from './task-scope.ts';
import { prepareCall, renderInput } from './tool-call.ts';
import type { Values } from './values.ts';

export interface OpenCallDeps {
  readonly recorder: Recorder;
  readonly scopes: TaskScopes;
  readonly values: Values;
  readonly catalogue: ToolCatalogue;
  readonly askPolicy: AskPolicy;
}

/** Of an objective, at most this much stands in a question. */
const objectiveChars = 200;
/** Of a map, at most so many inputs are shown, and at most `limits.inlineOutputBytes` of them. */
const sampledItems = 3;

/**
 * The approval that a tool call, or a map of them, waits for; null when it needs none, or none any more.
 *
 * What is shown is what runs: the input is kept with the approval, and what a map goes over is recorded and does not
 * change.
 * @throws ASTRA_POLICY_DENIED; ASTRA_EXPRESSION_FAILED
 */
export async function openCall(deps: OpenCallDeps, ref: TaskRef, planned: PlannedTask): Promise<OpenedApproval | null> {
  const { outline } = planned;
  const tool = outline.tool ?? '';
  const verdict = await deps.askPolicy(ref.goal, outline, (await deps.catalogue()).get(tool));
  if (verdict.decision === 'deny') throw policyDenied(tool);
  // Maps are opened whatever policy says, tool calls only once it has asked: of those a question may be open.
  if (verdict.decision === 'allow' && !isGuarded(outline) && planned.task.kind === 'map') return null;
  const approval = await openApproval(deps.recorder, ref, {
    run: runOf(outline),
    ask: async () => (verdict.decision === 'allow' ? null : questionOf(deps, ref.goal, planned, verdict)),
  });
  return approval && !isApproved(approval) ? approval : null;
}

async function questionOf(
  deps: OpenCallDeps,
  goal: GoalRef,
  planned: PlannedTask,
  terms: Verdict,
): Promise<Question | null> {
  const { tool = '', title, id } = planned.outline;
  const about =
    planned.task.kind === 'map' ? await aboutMap(deps, goal, planned) : await aboutTask(deps, goal, planned);
  if (about === null) return null;
  const { objective } = await deps.recorder.head(goal);
  const times = about.map ? `${about.map.items} times` : 'now';
  const whatFor = objective.length > objectiveChars ? `${objective.slice(0, objectiveChars)}…` : objective;
  const prompt = `May "${title ?? id}" call ${tool} ${times}? The goal: ${whatFor}`;
  return { kind: 'risky_task', tool, prompt, terms, ...about };
}

type About = Pick<Question, 'input' | 'inputArtifact' | 'map'>;

async function aboutTask({ scopes, values }: OpenCallDeps, goal: GoalRef, { task }: PlannedTask): Promise<About> {
  if (task.kind !== 'tool') throw new AstraError('ASTRA_INTERNAL', `A task of kind ${task.kind} calls no tool.`);
  const { tool, input: template = {} } = task;
  const input = renderInput(template, await scopes.of(goal, template));
  const kept = await values.toOutput(goal.tenant, input);
  if ('output' in kept) return { input };
  if (kept.artifact.sizeBytes <= limits.resolvedOutputBytes) return { input: null, inputArtifact: kept.artifact };
  const message = `The input of ${tool} has ${kept.artifact.sizeBytes} bytes, too many to be approved. Pass what is large as an artifact.`;
  throw new AstraError('ASTRA_TOOL_INPUT_INVALID', message);
}

/** Null: there is no item. */
async function aboutMap({ scopes }: OpenCallDeps, goal: GoalRef, map: PlannedTask): Promise<About | null> {
  if (map.task.kind !== 'map') return null;
  const items = (await scopes.itemsOf(goal, map.task)).length;
  if (items === 0) return null;
  const sample: JsonObject[] = [];
  for (let item = 0; item < Math.min(items, sampledItems); item += 1) {
    const call = await prepareCall(scopes, goal, { ...map, item });
    if (call) sample.push(call.input);
    if (JSON.stringify(sample).length <= limits.inlineOutputBytes) continue;
    sample.pop();
    break;
  }
  return { input: null, map: { items, sample } };
}
