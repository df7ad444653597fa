import { isAstraError, type GraphView } from '@astra/sdk';
import { approvalHint } from '../approval-hint.ts';
import { describeQuestion } from '../describe-question.ts';
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

/** Of an input, at most this much; `astra approval get` shows it whole. */
const inputWidth = 200;

async function readQuestion({ astra, io }: Session, id: string): Promise<readonly string[]> {
  try {
    const approval = await astra.approvals.get(id, { signal: io.signal });
    const about = describeQuestion(approval, inputWidth);
    return [`? ${clean(approval.prompt)}`, ...(about === null ? [] : [`  ${clean(about)}`])];
  } catch (error) {
    // A token may be allowed to watch and not to see approvals: how to decide is said all the same.
    if (!isAstraError(error)) throw error;
    return ['? A decision is needed.'];
  }
}

/** The question, what it is about, and the command that answers it. */
export async function formatQuestion(session: Session, id: string): Promise<readonly string[]> {
  return [...(await readQuestion(session, id)), `  ${approvalHint(id)}`];
}
