import { AstraApiError } from '../api-error.ts';
import { sleep } from '../retry.ts';
import type { Transport } from '../transport.ts';
import type { CallOptions, Deletion } from '../types.ts';

export interface DeletionOptions extends CallOptions {
  /** The same key gives the same deletion, however often. Made up when left out, so that retries are safe. */
  readonly idempotencyKey?: string | undefined;
}

export interface Deletions {
  /** @throws ASTRA_NOT_FOUND */
  get(id: string, options?: CallOptions): Promise<Deletion>;
  /**
   * Waits until everything is gone.
   * @throws ASTRA_TIMEOUT when it is not after `timeoutMs` (default: waits for ever); the deletion goes on.
   */
  result(id: string, options?: CallOptions & { readonly timeoutMs?: number | undefined }): Promise<Deletion>;
}

export interface TenantResource {
  /**
   * Deletes everything of the tenant, what runs included; `deletions.result` waits for the end. Needs the scope `admin`.
   * @param confirm the tenant's name
   * @throws ASTRA_BODY_INVALID when it is another
   */
  delete(confirm: string, options?: DeletionOptions): Promise<Deletion>;
}

export interface Subjects {
  /**
   * Deletes the goals that tokens of the subject submitted and puts a pseudonym under the votes that it gave on others;
   * `deletions.result` waits for the end. Needs the scope `admin`.
   */
  forget(subject: string, options?: DeletionOptions): Promise<Deletion>;
}

const pollMs = { first: 200, most: 5_000 };

export function createDeletions(transport: Transport): Deletions {
  async function get(id: string, { signal }: CallOptions = {}): Promise<Deletion> {
    return (await transport.json<Deletion>(`v1/deletions/${encodeURIComponent(id)}`, { signal })).body;
  }
  return {
    get,
    async result(id, { timeoutMs = Number.POSITIVE_INFINITY, signal } = {}) {
      const deadline = Date.now() + timeoutMs;
      for (let waitMs = pollMs.first; ; waitMs = Math.min(2 * waitMs, pollMs.most)) {
        const deletion = await get(id, { signal });
        if (deletion.status === 'completed') return deletion;
        const leftMs = deadline - Date.now();
        if (leftMs <= 0) {
          throw new AstraApiError('ASTRA_TIMEOUT', `The deletion ${id} had not ended in time; it goes on`, {
            retryable: true,
          });
        }
        await sleep(Math.min(waitMs, leftMs), signal);
      }
    },
  };
}

const begin =
  (transport: Transport, path: string) =>
  async (body: object, { idempotencyKey = crypto.randomUUID(), signal }: DeletionOptions = {}): Promise<Deletion> => {
    const headers = { 'idempotency-key': idempotencyKey };
    const request = { method: 'POST', body, headers, idempotent: true, signal } as const;
    return (await transport.json<Deletion>(path, request)).body;
  };

export function createTenant(transport: Transport): TenantResource {
  const remove = begin(transport, 'v1/tenant:delete');
  return { delete: (confirm, options) => remove({ confirm }, options) };
}

export function createSubjects(transport: Transport): Subjects {
  const forget = begin(transport, 'v1/subjects:forget');
  return { forget: (subject, options) => forget({ subject }, options) };
}
