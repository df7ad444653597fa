import { readPage, readPages, type Page, type PageQuery } from '../pages.ts';
import type { Transport } from '../transport.ts';
import type { CallOptions, ParkedSelection, ParkedTask, ToldTasks } from '../types.ts';

export interface ParkedTaskFilters extends PageQuery {
  readonly goalId?: string | undefined;
  /** Of the error that it was parked with. */
  readonly code?: string | undefined;
  readonly reason?: ParkedTask['reason'] | undefined;
}

export interface TellOptions extends CallOptions {
  /** Says what would be taken, and does nothing. */
  readonly dryRun?: boolean | undefined;
  /** A repetition with the same key takes nothing that was parked meanwhile. Made up when left out. */
  readonly idempotencyKey?: string | undefined;
}

/** Tasks over all goals: those that are parked. */
export interface Tasks {
  /** One page, newest first. */
  list(filters?: ParkedTaskFilters, options?: CallOptions): Promise<Page<ParkedTask>>;
  /** Every parked task that matches, page after page. */
  all(filters?: ParkedTaskFilters, options?: CallOptions): AsyncGenerator<ParkedTask, void, undefined>;
  /**
   * Gives tasks that are parked for a failure a fresh set of attempts: those that match all that is given, or all, the oldest
   * 1,000 of them. What comes of it shows in their goals.
   */
  retry(selection?: ParkedSelection, options?: TellOptions): Promise<ToldTasks>;
  /** The same, but they fail with the error they were parked with. */
  discard(selection?: ParkedSelection, options?: TellOptions): Promise<ToldTasks>;
}

export function createTasks(transport: Transport): Tasks {
  const tell =
    (command: 'retry' | 'discard') =>
    async (
      selection: ParkedSelection = {},
      { dryRun, idempotencyKey = crypto.randomUUID(), signal }: TellOptions = {},
    ): Promise<ToldTasks> => {
      const headers = { 'idempotency-key': idempotencyKey };
      const query = dryRun ? { dryRun: 'true' } : {};
      const request = { method: 'POST', body: selection, query, headers, idempotent: true, signal } as const;
      return (await transport.json<ToldTasks>(`v1/tasks:${command}`, request)).body;
    };
  return {
    list: (filters = {}, options) => readPage(transport, 'v1/tasks', { ...filters, status: 'parked' }, options),
    all: (filters = {}, options) => readPages(transport, 'v1/tasks', { ...filters, status: 'parked' }, options),
    retry: tell('retry'),
    discard: tell('discard'),
  };
}
