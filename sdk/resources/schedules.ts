import { readPage, readPages, type Page, type PageQuery } from '../pages.ts';
import type { Transport } from '../transport.ts';
import type { CallOptions, Schedule, ScheduleDefinition } from '../types.ts';
import type { SubmitOptions } from './goals.ts';

/** RFC 3339; both ends belong to it. */
export interface BackfillRange {
  readonly from: string;
  readonly to: string;
}
export interface Backfill {
  /** The times that run, or would run. */
  readonly times: readonly string[];
}

export interface Schedules {
  /**
   * Creates a schedule; creating the same once more changes nothing.
   * @throws ASTRA_SCHEDULE_EXISTS when there is another of this name; ASTRA_BODY_INVALID and ASTRA_PLAN_INVALID with `faults`
   */
  create(definition: ScheduleDefinition, options?: CallOptions): Promise<Schedule>;
  /** Replaces the schedule of this name. @throws ASTRA_NOT_FOUND */
  replace(definition: ScheduleDefinition, options?: CallOptions): Promise<Schedule>;
  /** One page, newest first; a moment behind. */
  list(query?: PageQuery, options?: CallOptions): Promise<Page<Schedule>>;
  all(query?: PageQuery, options?: CallOptions): AsyncGenerator<Schedule, void, undefined>;
  /** @throws ASTRA_NOT_FOUND */
  get(name: string, options?: CallOptions): Promise<Schedule>;
  /** Goals that it has started go on. */
  delete(name: string, options?: CallOptions): Promise<void>;
  pause(name: string, options?: CallOptions & { readonly reason?: string | undefined }): Promise<Schedule>;
  resume(name: string, options?: CallOptions & { readonly reason?: string | undefined }): Promise<Schedule>;
  /** Starts a goal now, also while another runs. It is among `recentRuns` a moment later. */
  trigger(name: string, options?: SubmitOptions): Promise<Schedule>;
  /** Runs the times in the range now; with `dryRun` only says which. */
  backfill(
    name: string,
    range: BackfillRange,
    options?: SubmitOptions & { readonly dryRun?: boolean | undefined },
  ): Promise<Backfill>;
}

const schedulePath = (name: string) => `v1/schedules/${encodeURIComponent(name)}`;

export function createSchedules(transport: Transport): Schedules {
  async function tell(
    name: string,
    command: 'pause' | 'resume',
    { reason, signal }: CallOptions & { readonly reason?: string | undefined } = {},
  ): Promise<Schedule> {
    const body = reason === undefined ? {} : { reason };
    const request = { method: 'POST', body, idempotent: true, signal } as const;
    return (await transport.json<Schedule>(`${schedulePath(name)}/${command}`, request)).body;
  }

  return {
    async create(definition, { signal } = {}) {
      const request = { method: 'POST', body: definition, idempotent: true, signal } as const;
      return (await transport.json<Schedule>('v1/schedules', request)).body;
    },
    async replace(definition, { signal } = {}) {
      const request = { method: 'PUT', body: definition, signal } as const;
      return (await transport.json<Schedule>(schedulePath(definition.name), request)).body;
    },
    list: (query = {}, options) => readPage(transport, 'v1/schedules', { ...query }, options),
    all: (query = {}, options) => readPages(transport, 'v1/schedules', { ...query }, options),
    async get(name, { signal } = {}) {
      return (await transport.json<Schedule>(schedulePath(name), { signal })).body;
    },
    async delete(name, { signal } = {}) {
      await transport.json(schedulePath(name), { method: 'DELETE', signal });
    },
    pause: (name, options) => tell(name, 'pause', options),
    resume: (name, options) => tell(name, 'resume', options),
    async trigger(name, { idempotencyKey = crypto.randomUUID(), signal } = {}) {
      const headers = { 'idempotency-key': idempotencyKey };
      const request = { method: 'POST', headers, idempotent: true, signal } as const;
      return (await transport.json<Schedule>(`${schedulePath(name)}/trigger`, request)).body;
    },
    async backfill(name, range, { idempotencyKey = crypto.randomUUID(), dryRun, signal } = {}) {
      const headers = { 'idempotency-key': idempotencyKey };
      const query = dryRun ? { dryRun: 'true' } : {};
      const request = { method: 'POST', body: range, headers, query, idempotent: true, signal } as const;
      return (await transport.json<Backfill>(`${schedulePath(name)}/backfill`, request)).body;
    },
  };
}
