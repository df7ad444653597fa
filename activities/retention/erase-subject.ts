import type { GoalId } from '../../domain/schemas/common.ts';
import { forgetInLine, isVote } from '../../stores/archive/line-subjects.ts';
import type { SubjectRequest } from '../../stores/postgres/deletions.ts';
import type { Erasure } from './deps.ts';
import { removeArchives } from './remove-archives.ts';
import { removeMarked } from './remove-goals.ts';

type SubjectErasure = Erasure<SubjectRequest>;

const pageSize = 500;
/** Their plans, events and approvals are searched in one statement. */
const mentionsAtOnce = 100;
const graceSeconds = 10;
/** Until goals that name the subject have ended: their workflows do so until then. */
const runningWaitSeconds = 60;

/**
 * A subject: the goals that it submitted go; the tenant's settings, and the votes and changes that it made in goals of
 * others, name nobody any more. The request keeps how far it is, each page at a time.
 */
export function eraseSubject(erasure: SubjectErasure): Promise<number | null> {
  const stages = {
    goals: eraseOwnGoals,
    settings: forgetInSettings,
    mentions: forgetMentions,
    runs: removeScheduledRuns,
    archive: forgetArchive,
  };
  return stages[erasure.deletion.request.stage](erasure);
}

async function goOn({ deletion, deletions }: SubjectErasure, change: Partial<SubjectRequest>): Promise<number> {
  await deletions.keep(deletion.id, { ...deletion.request, ...change });
  return 0;
}

async function eraseOwnGoals(erasure: SubjectErasure): Promise<number> {
  const { deletion, subjects, executions, removals } = erasure;
  const { tenant, subject, after } = deletion.request;
  const waitSeconds = await removeMarked(erasure, { evenRunning: true });
  if (waitSeconds !== null) return waitSeconds;
  const page = await subjects.goals(tenant, { subject, after, limit: pageSize });
  const own = page.filter((goal) => goal.own);
  if (own.length > 0) {
    const running = own.filter(({ ended }) => !ended).map(({ goalId }) => goalId);
    if (running.length > 0) await executions.stop(running, { graceSeconds });
    const goals = own.map(({ goalId }) => ({ goalId, archive: false }));
    await removals.mark({ id: deletion.id, tenant }, goals, { evenRunning: true });
    // The page is looked at again, until none of them is in it.
    return 1;
  }
  const last = page.at(-1);
  return goOn(erasure, last ? { after: last.goalId } : { stage: 'settings', after: '' });
}

/** Before its mentions in goals, for templates and schedules make goals that name it. */
async function forgetInSettings(erasure: SubjectErasure): Promise<number> {
  const { deletion, subjects, executions } = erasure;
  const { tenant } = deletion.request;
  await subjects.forgetInSettings(tenant, deletion.request);
  await executions.renameInSchedules(tenant, deletion.request);
  return goOn(erasure, { stage: 'mentions' });
}

async function forgetMentions(erasure: SubjectErasure): Promise<number> {
  const { deletion, subjects, executions, count, onProgress } = erasure;
  const { tenant, subject, after, waiting } = deletion.request;
  const page = await subjects.mentions(tenant, { subject, after, limit: mentionsAtOnce });
  let running = waiting;
  for (const { goalId, ended } of page.filter(({ named }) => named)) {
    onProgress();
    // A history has the name, and nobody can change a history. The record is last, for by it the goal is found again.
    if (ended) await count({ executions: await executions.remove([goalId], { evenRunning: false }) });
    const votes = ended ? await subjects.forget({ tenant, goalId }, deletion.request) : null;
    if (votes === null) running += 1;
    else await count({ votes });
  }
  const last = page.at(-1);
  if (last) return goOn(erasure, { after: last.goalId, waiting: running });
  if (running === 0) return goOn(erasure, { stage: 'runs' });
  await goOn(erasure, { after: '', waiting: 0 });
  return runningWaitSeconds;
}

/** After the goals that they have started. */
async function removeScheduledRuns(erasure: SubjectErasure): Promise<number> {
  const { deletion, executions, count } = erasure;
  const { removed, running } = await executions.removeScheduledRuns(deletion.request.tenant, deletion.request.subject);
  await count({ executions: removed });
  return running > 0 ? runningWaitSeconds : goOn(erasure, { stage: 'archive' });
}

async function forgetArchive(erasure: SubjectErasure): Promise<number | null> {
  const { deletion, archivedGoals, answers, onProgress } = erasure;
  const { tenant, subject } = deletion.request;
  const archived = await archivedGoals.ofSubject(tenant, subject, { limit: pageSize });
  if (archived.length === 0) {
    await answers.removeTenant(tenant);
    return null;
  }
  for (const { goalId, own } of archived) {
    onProgress();
    if (own) await removeArchives(erasure, goalId);
    else await rewriteArchive(erasure, goalId);
  }
  return 0;
}

/** The index's row follows the record, which may be rewritten any number of times. */
async function rewriteArchive(
  { archive, archivedGoals, deletion, count }: SubjectErasure,
  goalId: GoalId,
): Promise<void> {
  const { tenant, subject, pseudonym } = deletion.request;
  const goal = { tenant, goalId };
  let votes = 0;
  async function* rewritten(): AsyncGenerator<string, void, undefined> {
    for await (const line of archive.read(goal)) {
      const forgotten = forgetInLine(line, { subject, pseudonym });
      if (forgotten !== line && isVote(line)) votes += 1;
      yield forgotten;
    }
  }
  await archive.write(goal, rewritten());
  await archivedGoals.rename(goal, { subject, pseudonym });
  await count({ votes });
}
