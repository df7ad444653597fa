import type { SettledStatus } from '../../domain/task-graph.ts';
import type { KernelActivities } from '../contract.ts';
import { followGraph } from './follow-graph.ts';
import { outcomesToTell, segmentMs, type SegmentDeps } from './segment.ts';

/**
 * Runs quick tasks without effects, following the graph among them, and records all that settled in one commit.
 * A task that was recorded by a segment whose answer was lost is not run again.
 */
export function createRunSegment(deps: SegmentDeps): KernelActivities['runSegment'] {
  const { recorder, budgets } = deps;
  return async ({ goal, taskIds }) => {
    const { outline } = await recorder.plan(goal);
    const ids = new Set(taskIds);
    const tasks = outline.tasks.filter(({ id }) => ids.has(id));
    const dependencies = tasks.flatMap(({ after }) => after);
    const recorded = await recorder.outcomes(goal, [...new Set([...taskIds, ...dependencies])]);
    if (await budgets.scopesOf(goal)) return { outcomes: outcomesToTell(tasks, recorded), deferred: [], apart: true };
    // The workflow tells of skipped tasks only after it has gone on: of all that end, they alone may lack a record.
    const settled: Record<string, SettledStatus> = Object.fromEntries(
      dependencies.filter((id) => !ids.has(id)).map((id) => [id, 'skipped']),
    );
    for (const [id, { status }] of Object.entries(recorded)) settled[id] = status;

    const segment = { goal, outline, tasks, settled, budgetMs: segmentMs, unrecorded: { outputs: new Map() } };
    const { drafts, deferred } = await followGraph(deps, segment);
    const ended = drafts.length > 0 ? (await recorder.record(goal, drafts)).outcomes : {};
    return { outcomes: outcomesToTell(tasks, { ...recorded, ...ended }), deferred };
  };
}
