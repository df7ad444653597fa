import type { BatchGoal } from '@astra/sdk';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { parseJsonObject, readInput } from '../read-input.ts';
import type { Session } from '../session.ts';
import { clean } from '../text/clean.ts';
import { formatJson } from '../text/format-json.ts';

/** A line of the file is a goal, or a plan alone. @throws UsageError before anything is submitted */
async function readGoals(session: Session, file: string): Promise<BatchGoal[]> {
  const text = await readInput(file, session.io);
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const body = parseJsonObject(line, `line ${index + 1} of ${file}`);
    // The API parses the body, and points at whatever is wrong with it.
    return ['tasks' in body ? { plan: body } : body] as BatchGoal[];
  });
}

/** Submits a goal for each line. Prints the ids in the order of the lines; with `-o json` a result a line. */
export async function submitBatch(
  session: Session,
  file: string,
  { idempotencyKey }: { readonly idempotencyKey?: string },
): Promise<ExitCode> {
  const { astra, io, json } = session;
  const goals = await readGoals(session, file);
  let refused = 0;
  for await (const { index, goal, error } of astra.goals.submitBatch(goals, { idempotencyKey, signal: io.signal })) {
    if (error) refused += 1;
    if (json) {
      const result = error
        ? { index, error: { code: error.code, message: error.message, errors: error.faults } }
        : { index, goal };
      io.stdout.write(`${formatJson(result, 0)}\n`);
    } else if (error) {
      const [fault] = error.faults;
      session.note(
        `goal ${index + 1}: ${error.code} ${clean(fault ? `${fault.pointer} ${fault.message}` : error.message)}`,
      );
    } else io.stdout.write(`${goal.id}\n`);
  }
  if (refused > 0) session.note(`${refused} of ${goals.length} goals were refused; the others are accepted`);
  return refused > 0 ? exitCodes.failed : exitCodes.completed;
}
