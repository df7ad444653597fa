import { AstraError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { Output } from '../../domain/schemas/event.ts';
import type { Values } from './values.ts';

/** The list of the items' outputs in order, null for those that failed or never ran. */
export async function mapOutput(values: Values, tenant: string, outputs: readonly (Output | null)[]): Promise<Output> {
  // Together too large to be resolved where the list is used: then it names them instead of holding them all.
  const list = await values.toValues(tenant, outputs, { maxBytes: limits.resolvedOutputBytes });
  return values.toOutput(tenant, list);
}

export function mapFailed(
  { completed, items }: { readonly completed: number; readonly items: number },
  first: ErrorInfo | undefined,
): AstraError {
  const reason = first ? ` The first failure was ${first.code}: ${first.message}` : '';
  return new AstraError('ASTRA_MAP_FAILED', `${completed} of ${items} items completed.${reason}`);
}
