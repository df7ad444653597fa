import { forgetSubject, type Forgetting } from '../../domain/forget-subject.ts';
import type { Json } from '../../domain/json.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { SubjectRequest } from '../../stores/postgres/deletions.ts';
import type { Erasure } from './deps.ts';
import { removeArchives } from './remove-archives.ts';
import { removeMarked } from './remove-goals.ts';

type SubjectErasure = Erasure<SubjectRequest>;

const pageSize = 500;
const graceSeconds = 10;
/** Until goals in which the subject has voted have ended: their workflows know the vote until then. */
const runningWaitSeconds = 60;

/**
 * A subject: the goals that it submitted go, and votes that it gave on goals of others name nobody any more. The request
 * keeps how far it is, each page at a time.
 */
export function eraseSubject(erasure: SubjectErasure): Promise<number | null> {
  const stages = { goals: eraseOwnGoals, approvals: forgetVotes, archive: forgetArchive };
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
  return goOn(erasure, last ? { after: last.id } : { stage: 'approvals', after: '' });
}

async function forgetVotes(erasure: SubjectErasure): Promise<number> {
  const { deletion, subjects, executions, count, onProgress } = erasure;
  const { tenant, subject, after, waiting } = deletion.request;
  const page = await subjects.approvals(tenant, { subject, after, limit: pageSize });
  const named = page.filter((approval) => approval.named);
  for (const goalId of new Set(named.filter(({ ended }) => ended).map((approval) => approval.goalId))) {
    onProgress();
    await count({ votes: await subjects.forget({ tenant, goalId }, deletion.request) });
    // A history has its votes, and nobody can change a history.
    await count({ executions: await executions.remove([goalId], { evenRunning: false }) });
  }
  const running = waiting + named.filter(({ ended }) => !ended).length;
  const last = page.at(-1);
  if (last) return goOn(erasure, { after: last.id, waiting: running });
  if (running === 0) return goOn(erasure, { stage: 'archive' });
  await goOn(erasure, { after: '', waiting: 0 });
  return runningWaitSeconds;
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
      const forgotten = line.includes(JSON.stringify(subject)) ? withoutSubject(line, { subject, pseudonym }) : line;
      if (forgotten !== line && line.startsWith('{"event":')) votes += 1;
      yield forgotten;
    }
  }
  await archive.write(goal, rewritten());
  await archivedGoals.rename(goal, { subject, pseudonym });
  await count({ votes });
}

/** What is no approval, and no event about one, is the goal's data, whatever it names. */
function withoutSubject(line: string, forgetting: Forgetting): string {
  // Astra wrote it: see goal-lines.ts.
  const value = JSON.parse(line) as { readonly approval?: Json; readonly event?: { readonly type: string } };
  const isAbout = value.approval !== undefined || value.event?.type.startsWith('approval.');
  return isAbout ? JSON.stringify(forgetSubject(value, forgetting)) : line;
}
