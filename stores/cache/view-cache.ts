import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { isFinalGoal } from '../../domain/goal-record.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalStatus } from '../../domain/schemas/goal.ts';
import { keptTask, type GoalSnapshot } from '../goal-snapshot.ts';
import type { GoalWrite } from '../goal-write.ts';
import { keys } from './keys.ts';
import type { MissedWrite } from './missed-writes.ts';
import { createTrust } from './trust.ts';
import { defineViewScripts, type ScriptCall } from './view-scripts.ts';

/** A goal that waits for days is read from Postgres once a day; one that has ended is soon of no interest. */
const secondsToLive = (status: GoalStatus): number => (isFinalGoal(status) ? 3_600 : 86_400);
const taskField = 't:';

/**
 * The goals' snapshots in Redis. It holds nothing that Postgres does not, so nothing here fails: what cannot be written
 * is made up for when Redis is back, and until then nothing is read.
 */
export interface ViewCache {
  /** Follows commits, in the order of their `seq`, and wakes the goals' watchers. */
  refresh(writes: readonly GoalWrite[]): Promise<void>;
  /** The goal is at least at this `seq`: an older snapshot is dropped. */
  confirm(goal: GoalRef, seq: number): Promise<void>;
  /** Forgets the goal's snapshot, whatever its `seq`; one that is older than `seq` must not come back. */
  drop(goal: GoalRef, seq: number): Promise<void>;
  /** Offers a snapshot; a newer one stays. */
  fill(goal: GoalRef, snapshot: GoalSnapshot, options: { readonly status: GoalStatus }): Promise<void>;
  /** Null: not here, or not to be trusted. */
  view(goal: GoalRef): Promise<Pick<GoalSnapshot, 'seq' | 'headJson' | 'stateJson'> | null>;
  snapshot(goal: GoalRef): Promise<GoalSnapshot | null>;
  /** False while Redis is away and until it is repaired. */
  readonly trusted: boolean;
  /** Ends its own work; the connection given stays open. */
  close(): void;
}

/** @param redis a connection of `createRedis`, whose commands fail soon */
export function createViewCache(
  redis: Redis,
  options: { readonly logger?: Pick<Logger, 'info' | 'warn'> } = {},
): ViewCache {
  const scripts = defineViewScripts(redis);
  const trust = createTrust(redis, ({ goal, seq }) => scripts.refreshViews([confirmation(goal, seq)]), options);

  async function write(moved: readonly MissedWrite[], command: () => Promise<unknown>): Promise<void> {
    if (trust.trusted && (await trust.attempt(command)) !== null) return;
    for (const { goal, seq } of moved) trust.miss(goal, seq);
  }
  const read = <T>(command: () => Promise<T>): Promise<T | null> =>
    trust.trusted ? trust.attempt(command) : Promise.resolve(null);

  return {
    get trusted() {
      return trust.trusted;
    },
    refresh: (writes) =>
      write(
        writes.map(({ goal, state: { seq } }) => ({ goal, seq })),
        () => scripts.refreshViews(writes.map(refreshCall)),
      ),
    confirm: (goal, seq) => write([{ goal, seq }], () => scripts.refreshViews([confirmation(goal, seq)])),
    drop: (goal, seq) =>
      write([{ goal, seq }], () => {
        const key = keys.goal(goal);
        return redis.multi().del(key).hset(key, 'floor', seq).expire(key, secondsToLive('running')).exec();
      }),
    async fill(goal, snapshot, { status }) {
      const args = [snapshot.seq, secondsToLive(status), ...snapshotFields(snapshot)];
      await read(() => scripts.fillView({ key: keys.goal(goal), args }));
    },
    async view(goal) {
      const fields = await read(() => redis.hmget(keys.goal(goal), 'seq', 'head', 'state'));
      const [seq, headJson, stateJson] = fields ?? [];
      return seq && headJson && stateJson ? { seq: Number(seq), headJson, stateJson } : null;
    },
    async snapshot(goal) {
      const fields = await read(() => redis.hgetall(keys.goal(goal)));
      return fields && toSnapshot(fields);
    },
    close: trust.close,
  };
}

const confirmation = (goal: GoalRef, seq: number): ScriptCall => ({
  key: keys.goal(goal),
  args: [seq, seq, secondsToLive('running'), keys.wake(goal)],
});

function refreshCall({ goal, baseSeq, state, stateJson, created, plan, tasks, removed }: GoalWrite): ScriptCall {
  // The next reader fills it anew: that is less than to say what goes.
  if (removed.size > 0) return confirmation(goal, state.seq);
  const args = [
    ...[baseSeq, state.seq, secondsToLive(state.status), keys.wake(goal)],
    ...['seq', state.seq, 'state', stateJson],
    ...(created ? ['head', created.headJson] : []),
    ...(plan ? ['outline', plan.outlineJson] : []),
    ...tasks.filter(({ item }) => item < 0).flatMap((task) => [taskField + task.taskId, keptTask(task)]),
  ];
  return { key: keys.goal(goal), args };
}

const snapshotFields = ({ seq, headJson, stateJson, outlineJson, tasks }: GoalSnapshot): ScriptCall['args'] => [
  ...['seq', seq, 'head', headJson, 'state', stateJson],
  ...(outlineJson === null ? [] : ['outline', outlineJson]),
  ...[...tasks].flatMap(([id, text]) => [taskField + id, text]),
];

function toSnapshot({ seq, head, state, outline, ...rest }: Record<string, string>): GoalSnapshot | null {
  if (!seq || !head || !state) return null;
  const tasks = Object.entries(rest)
    .filter(([field]) => field.startsWith(taskField))
    .map(([field, text]) => [field.slice(taskField.length), text] as const);
  return { seq: Number(seq), headJson: head, stateJson: state, outlineJson: outline ?? null, tasks: new Map(tasks) };
}
