import type { GoalView, GraphView } from '@astra/sdk';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { clean, truncate } from '../text/clean.ts';
import { elapsedMs, formatDuration } from '../text/duration.ts';
import { formatJson } from '../text/format-json.ts';
import { paintStatus } from './goal-frame.ts';

/** Longer outputs are not for the eye; `npx astra goal result` prints them whole. */
const maxOutputChars = 2_000;
const maxFailedTasks = 10;

export const exitCodeOf = (status: GoalView['status']): ExitCode =>
  status === 'completed' ? exitCodes.completed : status === 'cancelled' ? exitCodes.cancelled : exitCodes.failed;

function describeOutput({ id, output, outputArtifact }: GoalView): string[] {
  if (outputArtifact) {
    const { name, sizeBytes } = outputArtifact;
    return [
      `output: ${clean(name)}, ${sizeBytes} bytes; \`npx astra goal artifacts ${id} --download <dir>\` fetches it`,
    ];
  }
  if (output === null) return [];
  const text = formatJson(output);
  return [
    'output:',
    text.length <= maxOutputChars
      ? text
      : `${truncate(text, maxOutputChars)}\n\`npx astra goal result ${id}\` prints all of it`,
  ];
}

/** How the goal ended, and for a failed one where to look. */
function describeOutcome(goal: GoalView, graph: GraphView | null, session: Session): string[] {
  const paint = session.paint(session.io.stdout);
  const { id, error, finishedAt, createdAt, progress } = goal;
  const took = finishedAt === null ? '' : ` in ${formatDuration(elapsedMs(createdAt, finishedAt, 0))}`;
  const head = `${paintStatus(goal.status, paint)}${took}: ${progress.completed} of ${progress.total} tasks completed`;
  if (goal.status === 'completed') return [head, ...describeOutput(goal)];
  // The goal's own error tells one of them already.
  const failed = (graph?.tasks ?? []).filter(
    (task) => task.status === 'failed' && !error?.message.startsWith(`Task "${task.id}" failed with `),
  );
  const more = failed.length > maxFailedTasks ? [`  … and ${failed.length - maxFailedTasks} more`] : [];
  return [
    head,
    ...(error === null ? [] : [`${paint('red', error.code)} ${clean(error.message)}`]),
    ...failed
      .slice(0, maxFailedTasks)
      .map((task) => `  ${task.id}: ${task.error?.code ?? ''} ${clean(task.error?.message ?? '')}`),
    ...more,
    ...(goal.status === 'failed'
      ? [`next: \`npx astra goal graph ${id}\` shows every task, \`npx astra goal events ${id}\` how it came to this`]
      : []),
  ];
}

/** Prints how an ended goal ended. @returns the exit code that says it */
export function printOutcome(session: Session, goal: GoalView, graph: GraphView | null): ExitCode {
  session.print(goal, () => describeOutcome(goal, graph, session));
  return exitCodeOf(goal.status);
}
