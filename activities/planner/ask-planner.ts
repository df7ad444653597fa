import { Context } from '@temporalio/activity';
import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import { replanTermsOf } from '../../domain/replans.ts';
import type { GoalHead } from '../../domain/schemas/goal.ts';
import { faultsError, tryParse } from '../../domain/schemas/parse.ts';
import { plannedChangeSchema, type PlanChange } from '../../domain/schemas/plan-change.ts';
import type { Plan } from '../../domain/schemas/plan.ts';
import { utf8Bytes } from '../../domain/utf8-bytes.ts';
import type { PlanProposals } from '../../stores/postgres/plan-proposals.ts';
import type { TemplateStore } from '../../stores/postgres/templates.ts';
import type { AskPlannerArgs, PlannerActivities } from '../contract.ts';
import { beating } from '../execution/beating.ts';
import { whileAway } from '../execution/while-away.ts';
import type { Recorder } from '../projection/recorder.ts';
import { toJson } from '../tools/to-json.ts';
import type { Planner, ReplanContext } from './define-planner.ts';
import { findPlanner, type Planners } from './planner-registry.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly proposals: PlanProposals;
  readonly templates: Pick<TemplateStore, 'get'>;
  readonly planners: Planners;
}

const longestMessage = 2_000;

/**
 * Asks a goal's planner how to go on, and keeps its answer: an answer that is kept is not asked for again. Should the process
 * die before that, the planner is asked once more.
 */
export function createAskPlanner(deps: Deps): PlannerActivities['askPlanner'] {
  const { recorder, proposals } = deps;
  return (args) => {
    const { cancellationSignal: signal } = Context.current();
    const { goal, changeId } = args;
    // Kept while a store is away: it may have taken minutes to find.
    let made: { readonly change: PlanChange | null } | null = null;
    const ask = async (): Promise<PlanChange | null> => {
      const context = await whileAway(() => contextOf(deps, args), signal);
      const head = await recorder.head(goal);
      const planner = findPlanner(deps.planners, replanTermsOf(head)?.planner ?? '');
      const answer = await answerOf(planner, context, signal);
      return answer && { ...answer, baseRevision: context.revision };
    };
    const askOnce = async () => {
      if (await proposals.get(goal, changeId)) return { kind: 'proposed' } as const;
      made ??= { change: await ask() };
      if (!made.change) return { kind: 'none' } as const;
      await proposals.keep(goal, changeId, { change: made.change });
      return { kind: 'proposed' } as const;
    };
    return beating(async () => {
      try {
        return await whileAway(askOnce, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof AstraError) || error.retryable) throw error;
        return { kind: 'refused', error: toErrorInfo(error) };
      }
    });
  };
}

type Told = Omit<ReplanContext, 'signal'> & { readonly revision: number };

async function contextOf({ recorder, templates }: Deps, args: AskPlannerArgs): Promise<Told> {
  const { goal, taskId, attempt, limit, refusal } = args;
  const standing = await recorder.standing(goal);
  if (!standing?.outline) throw new AstraError('ASTRA_NOT_FOUND', 'The goal has no plan that could be mended.');
  const { head } = standing;
  const { revision } = standing.outline;
  const current = { ...goal, revision };
  const { plan, params } = await recorder.plan(current);
  const stateOf = (id: string) => standing.tasks.get(id);
  const completed = plan.tasks.flatMap(({ id }) => (stateOf(id)?.status === 'completed' ? [id] : []));
  const outputs = await recorder.outputs(current, completed);
  const error = stateOf(taskId)?.error;
  const { objective, input } = head;
  // Memory holds some of it for others.
  return structuredClone({
    tenant: goal.tenant,
    goalId: goal.goalId,
    revision,
    objective,
    input,
    params,
    plan,
    fallbackPlan: await fallbackPlanOf(templates, head),
    tasks: plan.tasks.map(({ id }) => {
      const { status = 'pending', error = null } = stateOf(id) ?? {};
      return { id, status, error, ...outputs[id] };
    }),
    failure: { taskId, code: error?.code ?? 'ASTRA_TASK_FAILED', message: error?.message ?? '' },
    attempt,
    limit,
    refusal,
  });
}

async function fallbackPlanOf(templates: Deps['templates'], { tenant, template }: GoalHead): Promise<Plan | null> {
  if (template === null) return null;
  return (await templates.get(tenant, template))?.fallbackPlan ?? null;
}

/** @throws ASTRA_REPLAN_FAILED, ASTRA_PLAN_INVALID */
async function answerOf(planner: Planner, { revision: _, ...told }: Told, cancelled: AbortSignal) {
  const { name, timeoutSeconds } = planner;
  const late = AbortSignal.timeout(timeoutSeconds * 1_000);
  const signal = AbortSignal.any([cancelled, late]);
  const answer = await abandonable(planner.replan({ ...told, signal }), signal).catch((error: unknown) => {
    cancelled.throwIfAborted();
    const reason = late.aborted ? `did not answer within ${timeoutSeconds} s` : `failed: ${textOf(error)}`;
    throw new AstraError('ASTRA_REPLAN_FAILED', bounded(`The planner ${name} ${reason}`), { cause: error });
  });
  if (answer === null) return null;
  const json = toJson(answer);
  const bytes = utf8Bytes(JSON.stringify(json ?? null));
  if (bytes > limits.goalBodyBytes)
    throw new AstraError(
      'ASTRA_PLAN_INVALID',
      `The planner ${name} answered ${bytes} bytes, at most ${limits.goalBodyBytes} are read`,
    );
  const parsed = tryParse(plannedChangeSchema, json);
  if (parsed.ok) return parsed.data;
  const { code, message } = faultsError(parsed.faults, 'ASTRA_PLAN_INVALID', `The planner ${name} answered no change`);
  throw new AstraError(code, bounded(message));
}

/** One that ignores the signal keeps nobody waiting. */
function abandonable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return Promise.race([work, promise]);
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const bounded = (text: string): string => (text.length <= longestMessage ? text : `${text.slice(0, longestMessage)}…`);
