import type { GoalSubmission, JsonObject } from '@astra/sdk';
import type { ExitCode } from '../exit-codes.ts';
import { readJsonObject } from '../read-input.ts';
import type { Session } from '../session.ts';
import { mergeObject, submitGoal, type SubmitFlags } from '../submit-goal.ts';
import { UsageError } from '../usage-error.ts';

interface Flags extends SubmitFlags {
  readonly objective?: string;
  readonly template?: string;
}

/** A file holds a goal, or a plan alone. */
async function readSubmission(session: Session, file: string): Promise<GoalSubmission> {
  const body = await readJsonObject(file, session.io);
  const goal: JsonObject = 'tasks' in body ? { plan: body } : body;
  // The API parses the body, and points at whatever is wrong with it.
  return goal;
}

export async function submitFromFlags(session: Session, file: string | undefined, flags: Flags): Promise<ExitCode> {
  const { objective, template: name } = flags;
  const body = file === undefined ? {} : await readSubmission(session, file);
  if (file === undefined && objective === undefined && name === undefined) {
    throw new UsageError('Say what to submit: a file, --template <name> or --objective <text>; --help shows them');
  }
  const params = await mergeObject(session, flags.paramsFile, flags.param);
  if (params && name === undefined && !body.template)
    throw new UsageError('--param is for templates: give --template <name> too');
  const base = name === undefined ? body.template : { name };
  const template = base && { template: { ...base, ...(params && { params: { ...base.params, ...params } }) } };
  return submitGoal(session, { ...body, ...template, ...(objective !== undefined && { objective }) }, flags);
}
