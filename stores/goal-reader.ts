import type { Pool } from 'pg';
import { graphView, taskView } from '../domain/graph-view.ts';
import type { Knowledge } from '../domain/forecast.ts';
import type { GoalRef } from '../domain/goal-ref.ts';
import { parseTaskId } from '../domain/ids.ts';
import type { GoalId } from '../domain/schemas/common.ts';
import type { GoalEvent } from '../domain/schemas/event.ts';
import type { GoalHead, GoalState, GoalStatus, GraphView, TaskView } from '../domain/schemas/goal.ts';
import type { ViewCache } from './cache/view-cache.ts';
import type { HotViews } from './hot-views.ts';
import { recordOf, viewJson, type GoalSnapshot } from './goal-snapshot.ts';
import type { DurationMemory } from './duration-memory.ts';
import { goalKey } from './goal-write.ts';
import { createPlanReader, type PlanReader } from './plan-reader.ts';
import { postgresError } from './postgres/postgres-error.ts';
import { readEvents, readSnapshot, readTasks, type RecordedTask } from './postgres/read-goal.ts';
import { rebuildGoal } from './postgres/rebuild-goal.ts';
import { createSharedQuery } from './shared-query.ts';

/**
 * Goals as they are read: from Redis, else from Postgres, which then fills Redis.
 * All of it throws ASTRA_UNAVAILABLE when neither answers.
 */
export interface GoalReader extends PlanReader {
  /** The view without links, as JSON text; null when nothing is recorded of such a goal of the tenant. */
  view(tenant: string, goalId: GoalId): Promise<{ readonly seq: number; readonly json: string } | null>;
  /** Null also while there is no plan. Outputs beyond 2 KiB are left out. */
  graph(tenant: string, goalId: GoalId): Promise<GraphView | null>;
  /** A task, or an item of a map (`each.3`) that has begun, with its output. */
  task(tenant: string, goalId: GoalId, taskId: string): Promise<TaskView | null>;
  /** In order of `seq`. Always from Postgres. */
  events(
    tenant: string,
    goalId: GoalId,
    page: { readonly afterSeq: number; readonly limit: number },
  ): Promise<readonly GoalEvent[]>;
  /** Shows an accepted goal before its first event is recorded. Never replaces anything, never fails. */
  seed(head: GoalHead, state: GoalState): Promise<void>;
  /**
   * Makes all rows and the cached views of a goal anew out of its events; false when there are none.
   * Meanwhile the goal's recording waits.
   */
  rebuild(tenant: string, goalId: GoalId): Promise<boolean>;
}

export interface GoalReaderDeps {
  readonly pool: Pool;
  readonly viewCache: ViewCache;
  /** Must not be behind what is answered here. */
  readonly hotViews?: Pick<HotViews, 'forget'>;
  /** Without it nothing is foretold. */
  readonly durations?: Pick<DurationMemory, 'recall'>;
  /** Called for each query, for metrics. */
  readonly onQuery?: (source: 'redis' | 'postgres') => void;
}

type Sources = Pick<GoalReaderDeps, 'pool' | 'viewCache' | 'hotViews'> & Required<Pick<GoalReaderDeps, 'onQuery'>>;

function createSources({ pool, viewCache, hotViews, onQuery }: Sources) {
  // A thousand readers of a goal that is not cached cost two queries.
  const share = createSharedQuery<GoalSnapshot | null>();

  async function postgres<T>(query: () => Promise<T>): Promise<T> {
    onQuery('postgres');
    try {
      return await query();
    } catch (error) {
      throw postgresError(error);
    }
  }

  async function fillFromPostgres(goal: GoalRef): Promise<GoalSnapshot | null> {
    const snapshot = await postgres(() => readSnapshot(pool, goal));
    if (snapshot) await viewCache.fill(goal, snapshot, { status: statusOf(snapshot) });
    return snapshot;
  }

  const fromPostgres = (goal: GoalRef): Promise<GoalSnapshot | null> =>
    share(goalKey(goal), () => fillFromPostgres(goal));

  async function snapshotOf(goal: GoalRef): Promise<GoalSnapshot | null> {
    onQuery('redis');
    const found = (await viewCache.snapshot(goal)) ?? (await fromPostgres(goal));
    if (found) hotViews?.forget(goal, found.seq);
    return found;
  }
  return { postgres, fromPostgres, snapshotOf };
}

export function createGoalReader(deps: GoalReaderDeps): GoalReader {
  const { pool, viewCache, hotViews, durations, onQuery = () => undefined } = deps;
  const { postgres, fromPostgres, snapshotOf } = createSources({ ...deps, onQuery });

  return {
    async view(tenant, goalId) {
      const goal = { tenant, goalId };
      onQuery('redis');
      const found = (await viewCache.view(goal)) ?? (await fromPostgres(goal));
      if (found) hotViews?.forget(goal, found.seq);
      return found && { seq: found.seq, json: viewJson(found) };
    },

    async graph(tenant, goalId) {
      const snapshot = await snapshotOf({ tenant, goalId });
      if (!snapshot) return null;
      const { record, outputs } = recordOf(snapshot);
      return graphView(record, { outputs, knowledge: durations?.recall(tenant) });
    },

    async task(tenant, goalId, taskId) {
      const goal = { tenant, goalId };
      const snapshot = await snapshotOf(goal);
      if (!snapshot) return null;
      const readRecorded = (): Promise<readonly RecordedTask[]> => postgres(() => readTasks(pool, goal, [taskId]));
      return readTask(snapshot, taskId, { readRecorded, knowledge: durations?.recall(tenant) });
    },

    ...createPlanReader(pool, postgres),

    events: (tenant, goalId, page) => postgres(() => readEvents(pool, { tenant, goalId }, page)),

    async seed(head, state) {
      const snapshot = { seq: 0, headJson: JSON.stringify(head), stateJson: JSON.stringify(state) };
      const goal = { tenant: head.tenant, goalId: head.id };
      await viewCache.fill(goal, { ...snapshot, outlineJson: null, tasks: new Map() }, { status: state.status });
    },

    async rebuild(tenant, goalId) {
      const goal = { tenant, goalId };
      const seq = await postgres(() => rebuildGoal(pool, goal));
      if (seq === null) return false;
      await viewCache.drop(goal, seq);
      await fromPostgres(goal);
      return true;
    },
  };
}

interface ReadTaskOptions {
  /** Asked only for what a snapshot leaves out: items, and large outputs. */
  readonly readRecorded: () => Promise<readonly RecordedTask[]>;
  readonly knowledge: Knowledge | undefined;
}

async function readTask(
  snapshot: GoalSnapshot,
  taskId: string,
  { readRecorded, knowledge }: ReadTaskOptions,
): Promise<TaskView | null> {
  const { record, outputs } = recordOf(snapshot);
  const isItem = parseTaskId(taskId).index !== null;
  const view = taskView(record, taskId, { outputs, knowledge });
  const lacksOutput = view?.status === 'completed' && !view.artifact && view.output === undefined;
  if (!isItem && !lacksOutput) return view;
  const [recorded] = await readRecorded();
  if (!recorded) return view;
  const { state, output } = recorded;
  (isItem ? record.items : record.tasks).set(taskId, state);
  const read = new Map(output && 'output' in output ? [[taskId, output.output]] : []);
  return taskView(record, taskId, { outputs: read, knowledge });
}

// The recorder, or `seed`, wrote the text.
const statusOf = ({ stateJson }: GoalSnapshot): GoalStatus => (JSON.parse(stateJson) as GoalState).status;
