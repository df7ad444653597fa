import type { Command } from 'commander';
import type { ChangeApproval, Estimate, GoalRetry, JsonObject, PlanChange, PlanDiff, RerunPreview } from '@astra/sdk';
import { approvalHint } from '../approval-hint.ts';
import { parseCount } from '../pairs.ts';
import { parseJsonObject, readJsonObject } from '../read-input.ts';
import type { Bind, Session } from '../session.ts';
import { formatJson } from '../text/format-json.ts';
import { UsageError } from '../usage-error.ts';

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

function collectInput(text: string, before: Readonly<Record<string, JsonObject>> = {}): Record<string, JsonObject> {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError('--input must look like task={"name": "value"}');
  return { ...before, [text.slice(0, at)]: parseJsonObject(text.slice(at + 1), '--input') };
}

/** `astra goal plan|amend|retry|fork` */
export function addPlanCommands(goal: Command, bind: Bind): void {
  goal
    .command('plan <id>')
    .description('show the plan of a goal, as JSON')
    .option('--revision <number>', 'not the latest but this revision', parseCount(1))
    .action(bind(printPlan));
  goal
    .command('amend <id> <file>')
    .description(
      'change the plan of a running goal: JSON with baseRevision and add, remove, replace or plan (- is standard input)',
    )
    .option('--approval', 'ask people first; how, the file’s approval says')
    .option('--dry-run', 'only show what would change')
    .action(bind(amendPlan));
  const rerun = (name: string, description: string): Command =>
    goal
      .command(`${name} <id>`)
      .description(description)
      .option('-t, --task <id>', 'run this task again (repeatable); child/inner chooses a task of a sub-goal', collect)
      .option('--input <task=json>', 'with another input (repeatable)', collectInput)
      .option('--dry-run', 'only show what would run');
  rerun('retry', 'run tasks of an ended goal again: all that failed, or those chosen, and what depends on them').action(
    bind(retryGoal),
  );
  rerun('fork', 'begin another goal with what this one has finished; tasks are chosen as for a retry').action(
    bind(forkGoal),
  );
}

async function printPlan(
  session: Session,
  id: string,
  { revision }: { readonly revision?: number },
): Promise<undefined> {
  const found = await session.astra.goals.plan(id, { revision, signal: session.io.signal });
  session.print(found, () => [formatJson(found.plan)]);
}

const linesOf = ({ added, removed, replaced, kept }: PlanDiff): string[] => [
  ...added.map((id) => `+ ${id}`),
  ...removed.map((id) => `− ${id}`),
  ...replaced.map((id) => `~ ${id}`),
  `${kept.length} ${kept.length === 1 ? 'task' : 'tasks'} kept`,
];

const costOf = ({ seconds, usd }: Estimate): string => `about ${seconds} s and ${usd} USD`;

async function amendPlan(
  session: Session,
  id: string,
  file: string,
  { dryRun = false, approval: asks = false }: { readonly dryRun?: boolean; readonly approval?: boolean },
): Promise<undefined> {
  const { goals } = session.astra;
  const { signal } = session.io;
  // The API checks it, and says what is wrong and where.
  const amendment = (await readJsonObject(file, session.io)) as unknown as PlanChange & { approval?: ChangeApproval };
  const { approval = asks ? {} : undefined, ...change } = amendment;
  const preview = await goals.previewAmendment(id, change, { signal });
  if (dryRun) {
    session.print(preview, () => [...linesOf(preview.diff), costOf(preview.estimate)]);
    return undefined;
  }
  if (approval) {
    const asked = await goals.proposeAmendment(id, change, { approval, signal });
    session.print(asked, () => [...linesOf(asked.diff), costOf(asked.estimate), asked.approvalId]);
    session.note(`people are asked; decide it: ${approvalHint(asked.approvalId)}`);
    return undefined;
  }
  const goal = await goals.amendPlan(id, change, { signal });
  session.print(goal, () => [...linesOf(preview.diff), `${goal.id} is at revision ${goal.plan?.revision}`]);
  return undefined;
}

interface RerunFlags {
  readonly task?: readonly string[];
  readonly input?: Readonly<Record<string, JsonObject>>;
  readonly dryRun?: boolean;
}

const retryOf = ({ task, input }: RerunFlags): GoalRetry => ({
  tasks: task ?? 'failed',
  ...(input && { inputs: { ...input } }),
});

function printRerun(session: Session, preview: RerunPreview): undefined {
  const { willRun, reused, estimate } = preview;
  session.print(preview, () => [
    ...willRun.map((task) => `runs again: ${task}`),
    ...reused.map((task) => `is reused:  ${task}`),
    costOf(estimate),
  ]);
}

async function retryGoal(session: Session, id: string, flags: RerunFlags): Promise<undefined> {
  const { goals } = session.astra;
  const { signal } = session.io;
  if (flags.dryRun) return printRerun(session, await goals.previewRetry(id, retryOf(flags), { signal }));
  const goal = await goals.retry(id, retryOf(flags), { signal });
  session.print(goal, () => [`${goal.id} ${goal.status}, run ${goal.run}`]);
  return undefined;
}

async function forkGoal(session: Session, id: string, flags: RerunFlags): Promise<undefined> {
  const { goals } = session.astra;
  const { signal } = session.io;
  if (flags.dryRun) return printRerun(session, await goals.previewFork(id, retryOf(flags), { signal }));
  const goal = await goals.fork(id, retryOf(flags), { signal });
  session.print(goal, () => [`${goal.id} ${goal.status}, forked from ${id}`]);
  return undefined;
}
