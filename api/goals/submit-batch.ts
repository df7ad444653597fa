import { AstraError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import { parseJson } from '../body.ts';
import { idempotencyKeySchema } from '../params.ts';
import { mapInOrder } from '../map-in-order.ts';
import { toProblem, type Problem } from '../problem.ts';
import type { AcceptGoal } from './accept-goal.ts';

/** Goals of one batch that are being started: of many batches at once, admission bounds the sum. */
const parallel = 16;

export interface Batch {
  readonly tenant: string;
  /** One goal each, as JSON. */
  readonly lines: readonly string[];
  /** Of the whole call: each line's is made from it, unless the line has its own. */
  /** Of the token. */
  readonly subject: string;
  readonly idempotencyKey: string | undefined;
  readonly requestId: string;
}

/**
 * Submits the goals of a batch. Yields a line of JSON for each, in their order and as soon as it and those before it are
 * done; a goal that is refused says so in its line and keeps up nobody.
 * @param onFailed told of failures that are not the goal's fault
 */
export async function* submitBatch(
  { accept, onFailed }: { readonly accept: AcceptGoal; readonly onFailed: (error: unknown, problem: Problem) => void },
  batch: Batch,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const { tenant, subject, requestId } = batch;

  async function submitLine([index, line]: readonly [number, string]): Promise<string> {
    try {
      const { body, idempotencyKey = keyOf(batch, index) } = parseLine(line);
      const { status, json } = await accept(tenant, body, { idempotencyKey, subject });
      return `{"index":${index},"status":${status},"goal":${json}}\n`;
    } catch (error) {
      const { problem, retryAfterSeconds } = toProblem(error, requestId);
      if (problem.status >= 500) onFailed(error, problem);
      const later = retryAfterSeconds === null ? {} : { retryAfterSeconds };
      return `${JSON.stringify({ index, status: problem.status, ...later, problem })}\n`;
    }
  }

  for await (const result of mapInOrder(batch.lines.entries(), parallel, submitLine)) {
    yield result;
    if (signal.aborted) return;
  }
}

const keyOf = ({ idempotencyKey }: Batch, index: number): string | undefined =>
  idempotencyKey === undefined ? undefined : `${idempotencyKey}/${index}`;

/** @throws ASTRA_BODY_INVALID, ASTRA_BODY_TOO_LARGE */
function parseLine(line: string): { readonly body: unknown; readonly idempotencyKey?: string } {
  if (Buffer.byteLength(line) > limits.goalBodyBytes) {
    const message = `A goal has at most ${limits.goalBodyBytes} bytes. Give larger inputs as artifacts or by URL.`;
    throw new AstraError('ASTRA_BODY_TOO_LARGE', message);
  }
  const value = parseJson(line, 'The line');
  if (typeof value !== 'object' || value === null || !('idempotencyKey' in value)) return { body: value };
  const { idempotencyKey, ...body } = value;
  const key = idempotencyKeySchema.safeParse(idempotencyKey);
  if (key.success) return { body, idempotencyKey: key.data };
  const faults = [{ pointer: '/idempotencyKey', message: 'must have 1 to 255 characters' }];
  throw new AstraError('ASTRA_BODY_INVALID', 'The idempotencyKey of the line is not valid.', { faults });
}
