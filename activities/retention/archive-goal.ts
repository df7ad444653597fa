import type { GoalRef } from '../../domain/goal-ref.ts';
import { findGoalToArchive, goalLines } from '../../stores/archive/goal-lines.ts';
import { subjectsOfLine } from '../../stores/archive/line-subjects.ts';
import type { RetentionDeps } from './deps.ts';

type Deps = Pick<RetentionDeps, 'pool' | 'archive' | 'archivedGoals' | 'removals'>;

/**
 * Archives a goal that is marked for removal: its artifacts, then its record, then the index's row; then the mark says so.
 * Whoever dies in between leaves a goal that is archived again, from a record that is still whole: no row is removed while
 * the mark asks for the archive.
 */
export async function archiveGoal({ pool, archive, archivedGoals, removals }: Deps, goal: GoalRef): Promise<void> {
  const found = await findGoalToArchive(pool, goal);
  if (found) {
    const { submittedBy, artifacts, ...about } = found;
    const kept = new Set<string>();
    for (const sha256 of new Set(artifacts.map((artifact) => artifact.sha256))) {
      if (await archive.keepArtifact(goal, sha256)) kept.add(sha256);
    }
    const subjects = new Set<string>();
    const sizeBytes = await archive.write(goal, collectSubjects(goalLines(pool, goal), subjects));
    const archived = {
      ...about,
      archivedAt: new Date().toISOString(),
      sizeBytes,
      artifacts: artifacts.filter(({ sha256 }) => kept.has(sha256)),
    };
    await archivedGoals.put(goal, archived, { submittedBy, subjects: [...subjects] });
  }
  await removals.archived(goal.tenant, goal.goalId);
}

async function* collectSubjects(
  lines: AsyncIterable<string>,
  subjects: Set<string>,
): AsyncGenerator<string, void, undefined> {
  for await (const line of lines) {
    for (const subject of subjectsOfLine(line)) subjects.add(subject);
    yield line;
  }
}
