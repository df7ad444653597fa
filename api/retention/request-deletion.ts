import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Deletion } from '../../domain/schemas/retention.ts';
import type { Logger } from '../../platform/logger.ts';
import type { DeletionRequest, DeletionStore } from '../../stores/postgres/deletions.ts';
import { erasureStart, erasureWorkflow } from '../../workflows/contract.ts';
import { callTemporal } from '../goals/temporal-call.ts';

const pollMs = 200;

export interface RequestDeletionDeps {
  readonly deletions: Pick<DeletionStore, 'create' | 'get'>;
  readonly temporal: Client;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Makes a deletion durable and begins it. Should this process die in between, or Temporal be away, the sweep begins it
 * within a minute.
 * @param options.waitMs how long to wait for its end
 * @throws ASTRA_UNAVAILABLE
 */
export async function requestDeletion(
  { deletions, temporal, logger }: RequestDeletionDeps,
  request: DeletionRequest,
  options: { readonly key?: string | undefined; readonly waitMs?: number; readonly signal?: AbortSignal } = {},
): Promise<Deletion> {
  const { key, waitMs = 0, signal } = options;
  const deadline = Date.now() + waitMs;
  let deletion = await deletions.create(request, { key });
  if (deletion.status === 'completed') return deletion;
  const { id } = deletion;
  try {
    await callTemporal(temporal, () => temporal.workflow.start(erasureWorkflow.type, erasureStart(id)));
  } catch (error) {
    logger.warn({ err: error, deletionId: id }, 'a deletion could not be begun; the sweep will');
  }
  while (deletion.status === 'running' && Date.now() < deadline && !signal?.aborted) {
    await sleep(pollMs);
    deletion = (await deletions.get(request.tenant, id)) ?? deletion;
  }
  return deletion;
}
