import { toErrorInfo } from '../../domain/errors.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { InlineResult } from '../tools/inline-pool.ts';
import { draft } from './drafts.ts';
import type { Values } from './values.ts';

/** The end of a task, or of an item of a map, that ran in a segment. */
export async function inlineEnd(
  values: Values,
  tenant: string,
  about: { readonly taskId: string; readonly startedAt: string },
  result: Exclude<InlineResult, { readonly deferred: unknown }>,
): Promise<EventDraft> {
  const { taskId, startedAt } = about;
  if ('error' in result) return draft('task.failed', { error: toErrorInfo(result.error), startedAt }, { taskId });
  return draft('task.completed', { ...(await values.toOutput(tenant, result.output)), startedAt }, { taskId });
}
