import { AstraApiError } from './api-error.ts';
import { readByteStream } from './byte-stream.ts';
import { errorOfProblem, isRecord } from './problem.ts';
import { readLines } from './read-lines.ts';
import type { SubmitOptions } from './resources/goals.ts';
import { isTransient, retryDelayMs, sleep } from './retry.ts';
import type { Transport } from './transport.ts';
import type { GoalSubmission, GoalView } from './types.ts';

/** A goal of a batch, with a key of its own if it has one. */
export type BatchGoal = GoalSubmission & { readonly idempotencyKey?: string | undefined };

/** What came of a goal of a batch. `index` is its place in the batch, from 0. */
export type BatchResult =
  | { readonly index: number; readonly goal: GoalView; readonly error?: undefined }
  | { readonly index: number; readonly goal?: undefined; readonly error: AstraApiError };

interface Line {
  readonly index: number;
  readonly text: string;
}

/** What a call may hold: half of the bytes that the API takes. */
const maxLines = 1_000;
const maxBytes = 4 * 1024 * 1024;
const idleTimeoutMs = 60_000;

/** Each goal gets a key, so that it may be sent any number of times. */
async function* toCalls(
  goals: Iterable<BatchGoal> | AsyncIterable<BatchGoal>,
  key: string,
): AsyncGenerator<readonly Line[], void, undefined> {
  const encoder = new TextEncoder();
  let lines: Line[] = [];
  let bytes = 0;
  let index = 0;
  for await (const { idempotencyKey = `${key}/${index}`, ...goal } of goals) {
    const text = JSON.stringify({ ...goal, idempotencyKey });
    const size = encoder.encode(text).length + 1;
    if (lines.length === maxLines || (lines.length > 0 && bytes + size > maxBytes)) {
      yield lines;
      lines = [];
      bytes = 0;
    }
    lines.push({ index, text });
    bytes += size;
    index += 1;
  }
  if (lines.length > 0) yield lines;
}

function parseResult(line: string, lines: readonly Line[]): BatchResult {
  const parsed: unknown = JSON.parse(line);
  const { index: place, status, goal, problem, retryAfterSeconds } = isRecord(parsed) ? parsed : {};
  const index = lines[Number(place)]?.index;
  if (index === undefined) throw new AstraApiError('ASTRA_INTERNAL', 'The API answered for a goal that was not sent');
  // The server is trusted to send what its contract says.
  if (!isRecord(problem)) return { index, goal: goal as GoalView };
  const error = errorOfProblem(problem, {
    status: Number(status),
    unexplained: `The goal was refused with ${String(status)} without an explanation`,
    retryAfterSeconds: typeof retryAfterSeconds === 'number' ? retryAfterSeconds : undefined,
  });
  return { index, error };
}

/** One call: as many results as come before it ends or breaks. */
async function* callOnce(
  transport: Transport,
  lines: readonly Line[],
  signal: AbortSignal | undefined,
): AsyncGenerator<BatchResult, void, undefined> {
  const request = { method: 'POST', lines: lines.map(({ text }) => text), retries: 0, signal } as const;
  const { body } = await transport.open('v1/goals:batch', request);
  if (!body) return;
  for await (const line of readLines(readByteStream(body, idleTimeoutMs))) yield parseResult(line, lines);
}

/** The lines of one call, sent again as far as need be. Yields in their order, each as soon as those before it are known. */
async function* submitLines(
  transport: Transport,
  lines: readonly Line[],
  signal: AbortSignal | undefined,
): AsyncGenerator<BatchResult, void, undefined> {
  const known = new Map<number, BatchResult>();
  const isOpen = ({ index }: Line): boolean => !known.has(index) || isTransient(known.get(index)?.error);
  let shown = 0;
  const nextKnown = (): BatchResult | undefined => {
    const line = lines[shown];
    return line && !isOpen(line) ? known.get(line.index) : undefined;
  };
  let open = lines;
  for (let failures = 1; ; failures += 1) {
    let trouble: AstraApiError | null = null;
    try {
      for await (const result of callOnce(transport, open, signal)) {
        known.set(result.index, result);
        for (let next = nextKnown(); next; next = nextKnown()) {
          shown += 1;
          yield next;
        }
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!isTransient(error)) throw error;
      trouble = error;
    }
    const before = open.length;
    open = lines.filter(isOpen);
    if (open.length === 0) return;
    if (open.length < before) failures = 1;
    const delayMs =
      failures > transport.retries ? null : retryDelayMs(trouble ?? longestWait(known), failures, transport.backOff);
    if (delayMs === null) return yield* lastResults(lines.slice(shown), { known, trouble });
    await sleep(delayMs, signal);
  }
}

/** When all of those that are refused for now may be sent again. */
function longestWait(known: ReadonlyMap<number, BatchResult>): AstraApiError | null {
  const errors = [...known.values()].flatMap(({ error }) => (isTransient(error) ? [error] : []));
  return errors.toSorted((a, b) => (b.retryAfterSeconds ?? 0) - (a.retryAfterSeconds ?? 0))[0] ?? null;
}

/** @throws when it is not known what came of one of them */
function* lastResults(
  lines: readonly Line[],
  { known, trouble }: { readonly known: ReadonlyMap<number, BatchResult>; readonly trouble: AstraApiError | null },
): Generator<BatchResult, void, undefined> {
  for (const { index } of lines) {
    const result = known.get(index);
    const message = 'The API ended the call before it had answered for all goals';
    if (!result) throw trouble ?? new AstraApiError('ASTRA_CONNECTION', message, { retryable: true });
    yield result;
  }
}

/** See `Goals.submitBatch`. */
export async function* submitBatch(
  transport: Transport,
  goals: Iterable<BatchGoal> | AsyncIterable<BatchGoal>,
  { idempotencyKey = crypto.randomUUID(), signal }: SubmitOptions = {},
): AsyncGenerator<BatchResult, void, undefined> {
  for await (const lines of toCalls(goals, idempotencyKey)) yield* submitLines(transport, lines, signal);
}
