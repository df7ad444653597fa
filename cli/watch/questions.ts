import { isAstraError, type GraphView } from '@astra/sdk';
import { approvalHint } from '../approval-hint.ts';
import type { Session } from '../session.ts';
import { clean } from '../text/clean.ts';

/** Ids of the approvals that tasks wait for, each once: a plan's own holds all of them back. */
export const openQuestions = (graph: GraphView | null): readonly string[] => [
  ...new Set(
    (graph?.tasks ?? []).flatMap(({ waitingFor, finishedAt }) =>
      waitingFor?.kind === 'approval' && finishedAt === null ? [waitingFor.detail] : [],
    ),
  ),
];

async function readPrompt({ astra, io }: Session, id: string): Promise<string> {
  try {
    return (await astra.approvals.get(id, { signal: io.signal })).prompt;
  } catch (error) {
    // A token may be allowed to watch and not to see approvals: how to decide is said all the same.
    if (!isAstraError(error)) throw error;
    return 'A decision is needed.';
  }
}

/** The question, and the command that answers it. */
export async function formatQuestion(session: Session, id: string): Promise<readonly string[]> {
  return [`? ${clean(await readPrompt(session, id))}`, `  ${approvalHint(id)}`];
}
