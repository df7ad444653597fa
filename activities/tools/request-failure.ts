import { AstraError } from '../../domain/errors.ts';

/** Why a request had no answer: the egress policy's refusal, or in a word what undici or the socket say. */
export function requestFailure(error: unknown): AstraError | string {
  const denial = findAstraError(error);
  if (denial) return denial;
  return error instanceof Error ? (codeOf(error) ?? error.message) : String(error);
}

/** A socket wraps what its lookup threw: in `cause`, or in `errors` when it tried several addresses. */
function findAstraError(error: unknown, depth = 0): AstraError | undefined {
  if (error instanceof AstraError) return error;
  if (!(error instanceof Error) || depth > 5) return undefined;
  const several: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  const inner = [error.cause, ...several];
  return inner.map((each) => findAstraError(each, depth + 1)).find((found) => found !== undefined);
}

const codeOf = (error: Error): string | undefined =>
  'code' in error && typeof error.code === 'string' ? error.code : undefined;
