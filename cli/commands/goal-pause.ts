import type { Command } from 'commander';
import type { Bind, Session } from '../session.ts';

/** `astra goal pause` and `resume` */
export function addPauseCommands(goal: Command, bind: Bind): void {
  goal
    .command('pause <id>')
    .description('pause a goal and its sub-goals: what runs finishes, nothing new starts')
    .option('--hold', 'stop running tool calls; they begin again at the resume')
    .option('--shift-deadlines', 'add the time that the pause takes to waits and approvals')
    .option('--reason <text>', 'for the record')
    .action(bind(pauseGoal));
  goal.command('resume <id>').description('resume a paused goal and its sub-goals').action(bind(resumeGoal));
}

interface PauseFlags {
  readonly hold?: true;
  readonly shiftDeadlines?: true;
  readonly reason?: string;
}

async function pauseGoal(
  session: Session,
  id: string,
  { hold, shiftDeadlines, reason }: PauseFlags,
): Promise<undefined> {
  const running = hold ? 'hold' : 'finish';
  const goal = await session.astra.goals.pause(id, { running, shiftDeadlines, reason, signal: session.io.signal });
  session.print(goal, () => [`${goal.id} ${goal.status}`]);
}

async function resumeGoal(session: Session, id: string): Promise<undefined> {
  const goal = await session.astra.goals.resume(id, { signal: session.io.signal });
  const by =
    goal.pause?.by === 'parent' ? ` with the goal above it${goal.parentGoalId ? ` (${goal.parentGoalId})` : ''}` : '';
  session.print(goal, () => [`${goal.id} ${goal.status}${by}`]);
}
