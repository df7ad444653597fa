import {
  encodeScheduleOverlapPolicy,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
  type ScheduleSpec,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { msNumberToTs, tsToDate } from '@temporalio/common/lib/time.js';
import { AstraError } from '../../domain/errors.ts';
import type { Schedule, ScheduleDefinition, ScheduleOverlap } from '../../domain/schemas/schedule.ts';
import type { Page } from '../../stores/postgres/cursor.ts';
import {
  scheduledGoalWorkflowType,
  scheduleId,
  scheduleName,
  searchAttributes,
  taskQueues,
  workflowTaskTimeout,
} from '../../workflows/contract.ts';
import { callTemporal, isInvalid, isNotFound } from '../goals/temporal-call.ts';
import { mapInOrder } from '../map-in-order.ts';
import { scheduleView } from './schedule-view.ts';

export interface ScheduleRef {
  readonly tenant: string;
  readonly name: string;
}
export interface TimeRange {
  readonly from: string;
  readonly to: string;
}

/**
 * Schedules as Temporal keeps and runs them; nothing of them is kept elsewhere. All of it throws ASTRA_NOT_FOUND when the
 * tenant has no such schedule and ASTRA_UNAVAILABLE when Temporal does not answer in time.
 */
export interface ScheduleEngine {
  /** Durable when it resolves. False: there is one of this name. @throws ASTRA_BODY_INVALID for times that are none */
  create(tenant: string, definition: ScheduleDefinition): Promise<boolean>;
  /** What runs goes on; a schedule that is paused stays so. @throws ASTRA_BODY_INVALID */
  replace(tenant: string, definition: ScheduleDefinition): Promise<void>;
  get(ref: ScheduleRef): Promise<Schedule>;
  /** Newest first; a moment behind. @throws ASTRA_PARAMETER_INVALID for a strange cursor */
  list(tenant: string, page: { readonly limit: number; readonly cursor?: string | undefined }): Promise<Page<Schedule>>;
  /** Goals that it has started go on. */
  delete(ref: ScheduleRef): Promise<void>;
  pause(ref: ScheduleRef, reason: string): Promise<void>;
  resume(ref: ScheduleRef, reason: string): Promise<void>;
  /** Starts a goal now, whatever runs. The same `requestId` does so once. */
  trigger(ref: ScheduleRef, requestId: string): Promise<void>;
  /** The times in the range, both ends included, the first thousand of them. */
  times(ref: ScheduleRef, range: TimeRange): Promise<readonly string[]>;
  /** Runs each of them as if it came now, one after another unless the schedule's goals may overlap. */
  backfill(ref: ScheduleRef, range: TimeRange, options: { readonly requestId: string }): Promise<void>;
}

const overlapPolicies = {
  skip: ScheduleOverlapPolicy.SKIP,
  buffer: ScheduleOverlapPolicy.BUFFER_ALL,
  allow: ScheduleOverlapPolicy.ALLOW_ALL,
  cancel_other: ScheduleOverlapPolicy.CANCEL_OTHER,
} as const satisfies Record<ScheduleOverlap, ScheduleOverlapPolicy>;

/** Times that come while Temporal is away are made up for when they are no older. */
const catchupWindow = '1 hour';
/** A list knows names only: schedules that are read at once to show them. */
const parallelReads = 8;

export function createScheduleEngine(client: Client): ScheduleEngine {
  const { schedule: schedules } = client;
  const call = createCalls(client);
  const handleOf = ({ tenant, name }: ScheduleRef) => schedules.getHandle(scheduleId(tenant, name));
  const describe = (ref: ScheduleRef) => call(ref, () => handleOf(ref).describe());
  const get = async (ref: ScheduleRef): Promise<Schedule> => scheduleView(await describe(ref));

  return {
    async create(tenant, definition) {
      try {
        const options = { scheduleId: scheduleId(tenant, definition.name), ...optionsOf(tenant, definition) };
        await call(definition, () => schedules.create(options));
        return true;
      } catch (error) {
        if (error instanceof ScheduleAlreadyRunning) return false;
        throw error;
      }
    },
    async replace(tenant, definition) {
      const ref = { tenant, name: definition.name };
      const { paused, note } = (await describe(ref)).state;
      const state = { paused, ...(note !== undefined && { note }) };
      await call(ref, () => handleOf(ref).update(() => ({ ...optionsOf(tenant, definition), state })));
    },
    get,
    async list(tenant, page) {
      const { names, nextCursor } = await listNames(client, tenant, page);
      const items: Schedule[] = [];
      for await (const schedule of mapInOrder(names, parallelReads, (name) => orNull(get({ tenant, name })))) {
        if (schedule) items.push(schedule);
      }
      return { items, nextCursor };
    },
    delete: (ref) => call(ref, () => handleOf(ref).delete()),
    pause: (ref, reason) => call(ref, () => handleOf(ref).pause(reason)),
    resume: (ref, reason) => call(ref, () => handleOf(ref).unpause(reason)),
    ...createRuns(client, get),
  };
}

type Runs = Pick<ScheduleEngine, 'trigger' | 'times' | 'backfill'>;

/** Calls that the client has not, or not with the caller's own request id. */
function createRuns(client: Client, get: ScheduleEngine['get']): Runs {
  const { workflowService: service, options } = client;
  const { namespace, identity } = options;
  const call = createCalls(client);
  const idOf = ({ tenant, name }: ScheduleRef): string => scheduleId(tenant, name);

  return {
    async trigger(ref, requestId) {
      const patch = { triggerImmediately: { overlapPolicy: encodeScheduleOverlapPolicy('ALLOW_ALL') ?? 0 } };
      const request = { namespace, identity, scheduleId: idOf(ref), requestId, patch };
      await call(ref, () => service.patchSchedule(request));
    },
    async times(ref, range) {
      const request = { namespace, scheduleId: idOf(ref), ...timestampsOf(range) };
      const { startTime } = await call(ref, () => service.listScheduleMatchingTimes(request));
      return startTime.map((time) => tsToDate(time).toISOString());
    },
    async backfill(ref, range, { requestId }) {
      const { overlap } = await get(ref);
      const overlapPolicy = encodeScheduleOverlapPolicy(overlap === 'allow' ? 'ALLOW_ALL' : 'BUFFER_ALL') ?? 0;
      const patch = { backfillRequest: [{ ...timestampsOf(range), overlapPolicy }] };
      const request = { namespace, identity, scheduleId: idOf(ref), requestId, patch };
      await call(ref, () => service.patchSchedule(request));
    },
  };
}

/** @throws (from the function) ASTRA_UNAVAILABLE, and what Temporal says of a schedule as an error of ours */
function createCalls(client: Client) {
  return async <T>({ name }: Pick<ScheduleRef, 'name'>, work: () => Promise<T>): Promise<T> => {
    try {
      return await callTemporal(client, work);
    } catch (error) {
      throw refusalOf(error, name) ?? error;
    }
  };
}

async function listNames(
  client: Client,
  tenant: string,
  { limit, cursor = '' }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<{ readonly names: readonly string[]; readonly nextCursor: string | null }> {
  const request = {
    namespace: client.options.namespace,
    maximumPageSize: limit,
    nextPageToken: Buffer.from(cursor, 'base64url'),
    query: `${searchAttributes.tenant.name} = '${tenant}'`,
  };
  try {
    const { schedules, nextPageToken } = await callTemporal(client, () =>
      client.workflowService.listSchedules(request),
    );
    const next = Buffer.from(nextPageToken).toString('base64url');
    const names = schedules.flatMap(({ scheduleId: id }) => scheduleName(tenant, id ?? '') ?? []);
    return { names, nextCursor: next === '' ? null : next };
  } catch (error) {
    throw cursor !== '' && isInvalid(error) ? strangeCursor(error) : error;
  }
}

function optionsOf(tenant: string, definition: ScheduleDefinition) {
  const { name, overlap = 'skip' } = definition;
  const typedSearchAttributes = [{ key: searchAttributes.tenant, value: tenant }];
  return {
    spec: specOf(definition),
    policies: { overlap: overlapPolicies[overlap], catchupWindow },
    typedSearchAttributes,
    action: {
      type: 'startWorkflow',
      workflowType: scheduledGoalWorkflowType,
      // Temporal adds the time of the run.
      workflowId: `scheduled/${tenant}/${name}`,
      taskQueue: taskQueues.main,
      workflowTaskTimeout,
      typedSearchAttributes,
      staticSummary: name,
      args: [{ tenant, definition }],
    },
  } satisfies Omit<ScheduleOptions<ScheduleOptionsStartWorkflowAction<Workflow>>, 'scheduleId'>;
}

const specOf = ({ cron, everySeconds, jitterSeconds = 0, timezone = 'UTC' }: ScheduleDefinition): ScheduleSpec => ({
  ...(cron !== undefined && { cronExpressions: [cron], timezone }),
  ...(everySeconds !== undefined && { intervals: [{ every: everySeconds * 1_000 }] }),
  jitter: jitterSeconds * 1_000,
});

/** For the server a range begins after its start and ends with its end. */
const timestampsOf = ({ from, to }: TimeRange) => ({
  startTime: msNumberToTs(Date.parse(from) - 1),
  endTime: msNumberToTs(Date.parse(to)),
});

function refusalOf(error: unknown, name: string): AstraError | undefined {
  if (error instanceof ScheduleNotFoundError || isNotFound(error)) {
    return new AstraError('ASTRA_NOT_FOUND', `There is no schedule "${name}". GET /v1/schedules lists them.`, {
      cause: error,
    });
  }
  // What the client makes of a schedule that the server calls invalid: its text says what is wrong with the times.
  if (!(error instanceof TypeError)) return undefined;
  return new AstraError('ASTRA_BODY_INVALID', `The times are not valid: ${error.message}`, {
    faults: [{ pointer: '/cron', message: error.message }],
    cause: error,
  });
}

const strangeCursor = (cause: unknown): AstraError =>
  new AstraError('ASTRA_PARAMETER_INVALID', 'The cursor is not one that this API gave. Begin without a cursor.', {
    faults: [{ pointer: '/cursor', message: 'is not a cursor' }],
    cause,
  });

/** The list is a moment behind: a schedule in it may have been deleted. */
async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof AstraError && error.code === 'ASTRA_NOT_FOUND') return null;
    throw error;
  }
}
