import type { GoalEvent } from '../../domain/schemas/event.ts';
import { goalIdSchema } from '../../domain/schemas/common.ts';
import type { LiveFrame, Wake } from '../../stores/cache/live-lane.ts';

export const goal = { tenant: 'tenant-a', goalId: goalIdSchema.parse('gol_0123456789abcdefghij') };

/** One goal's two lanes in memory, with the promises of the real ones: reads by position, wake-ups without content. */
export function createMemoryGoal() {
  const events: GoalEvent[] = [];
  const frames: LiveFrame[] = [];
  const watchers = new Set<(wake: Wake) => void>();
  const state = { connected: true, postgresAway: false, reads: 0 };
  const wake = (kind: Wake): void => {
    for (const onWake of watchers) onWake(kind);
  };
  const at = (): string => new Date(1_700_000_000_000 + (events.length + frames.length) * 10).toISOString();

  return {
    state,
    watchers,
    wake,
    commit(type: 'task.skipped' | 'goal.cancelled', options: { readonly silent?: boolean } = {}): void {
      const base = { goalId: goal.goalId, seq: events.length + 1, attempt: 1, at: at() };
      events.push(
        type === 'task.skipped'
          ? { ...base, type, taskId: 't', data: { reason: 'condition' } }
          : { ...base, type, taskId: null, data: { reason: null } },
      );
      if (!options.silent) wake('event');
    },
    progress(text: string): void {
      frames.push({
        liveId: `${1_700_000_000_000 + frames.length}-0`,
        at: at(),
        taskId: 't',
        attempt: 1,
        stream: 'stdout',
        text,
      });
      wake('live');
    },
    deps: {
      reader: {
        async events(_tenant: string, _goalId: string, { afterSeq, limit }: { afterSeq: number; limit: number }) {
          state.reads += 1;
          if (state.postgresAway) throw new Error('away');
          return events.slice(afterSeq, afterSeq + limit);
        },
      },
      lane: {
        connected: () => state.connected,
        watch(_goal: unknown, onWake: (wake: Wake) => void) {
          watchers.add(onWake);
          return () => void watchers.delete(onWake);
        },
        async read(_goal: unknown, { afterLiveId, limit }: { afterLiveId: string | null; limit: number }) {
          return frames.filter(({ liveId }) => afterLiveId === null || liveId > afterLiveId).slice(0, limit);
        },
        lastId: async () => frames.at(-1)?.liveId ?? null,
      },
    },
  };
}
