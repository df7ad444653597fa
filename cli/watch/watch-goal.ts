import type { GoalSnapshot } from '@astra/sdk';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { printOutcome } from './outcome.ts';
import { createProgressDisplay } from './progress-display.ts';
import { formatQuestion, openQuestions } from './questions.ts';

/** Says that leaving is not stopping. */
export function noteDetached({ note }: Session, goalId: string): ExitCode {
  note(
    'The goal goes on without you.',
    `  watch it again:  npx astra goal watch ${goalId}`,
    `  cancel it:       npx astra goal cancel ${goalId}`,
  );
  return exitCodes.interrupted;
}

/** Shows the goal until it ends, then how it ended. Ctrl-C leaves it running. */
export async function watchGoal(session: Session, goalId: string): Promise<ExitCode> {
  const { signal } = session.io;
  const display = createProgressDisplay(session);
  const asked = new Set<string>();
  let last: GoalSnapshot | null = null;
  try {
    for await (const update of session.astra.goals.watch(goalId, { signal })) {
      display.show(update);
      if (update.type !== 'snapshot') continue;
      last = update;
      for (const approvalId of openQuestions(update.graph).filter((id) => !asked.has(id))) {
        asked.add(approvalId);
        display.ask(await formatQuestion(session, approvalId));
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    display.close();
  }
  if (signal.aborted || last === null) return noteDetached(session, goalId);
  return printOutcome(session, last.goal, last.graph);
}

/** Waits for the goal's end in silence, then prints how it ended. */
export async function awaitGoal(session: Session, goalId: string): Promise<ExitCode> {
  const { astra, io } = session;
  try {
    await astra.goals.result(goalId, { signal: io.signal });
    const goal = await astra.goals.get(goalId, { signal: io.signal });
    const graph = goal.plan && goal.status === 'failed' ? await astra.goals.graph(goalId, { signal: io.signal }) : null;
    return printOutcome(session, goal, graph);
  } catch (error) {
    if (!io.signal.aborted) throw error;
    return noteDetached(session, goalId);
  }
}
