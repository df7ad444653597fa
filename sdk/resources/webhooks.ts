import { readPage, readPages, type Page, type PageQuery } from '../pages.ts';
import type { Transport } from '../transport.ts';
import type { CallOptions, NewWebhook, Webhook, WebhookDefinition, WebhookDelivery } from '../types.ts';

export interface CreateOptions extends CallOptions {
  /** The same key and body create one thing, however often. Made up when left out, so that retries are safe. */
  readonly idempotencyKey?: string | undefined;
}

export interface DeliveryFilters extends PageQuery {
  readonly status?: WebhookDelivery['status'] | undefined;
}

/** What is told to others of goals. Where an id is asked for, `callback` stands for the `callbackUrl`s of goals. */
export interface Webhooks {
  /** Its secret is in this answer and in no other. @throws ASTRA_BODY_INVALID, ASTRA_WEBHOOK_LIMIT */
  create(webhook: WebhookDefinition, options?: CreateOptions): Promise<NewWebhook>;
  /** One page, newest first. */
  list(query?: PageQuery, options?: CallOptions): Promise<Page<Webhook>>;
  all(query?: PageQuery, options?: CallOptions): AsyncGenerator<Webhook, void, undefined>;
  /** @throws ASTRA_NOT_FOUND */
  get(id: string, options?: CallOptions): Promise<Webhook>;
  /** With the log of its deliveries; what was not sent yet is not sent any more. */
  delete(id: string, options?: CallOptions): Promise<void>;
  /** A new secret. For a day messages are signed with those before it, too. */
  rotateSecret(id: string, options?: CallOptions): Promise<string>;
  /** What messages to the `callbackUrl`s of the tenant's goals are signed with. */
  callbackSecret(options?: CallOptions): Promise<string>;
  /** What was sent, newest first, page after page. */
  deliveries(
    id: string,
    filters?: DeliveryFilters,
    options?: CallOptions,
  ): AsyncGenerator<WebhookDelivery, void, undefined>;
  /** Sends a delivery again, under the same id. @throws ASTRA_WEBHOOK_DISABLED */
  replay(id: string, deliveryId: string, options?: CallOptions): Promise<WebhookDelivery>;
}

const webhookPath = (id: string) => `v1/webhooks/${encodeURIComponent(id)}`;

export function createWebhooks(transport: Transport): Webhooks {
  return {
    async create(webhook, { idempotencyKey = crypto.randomUUID(), signal } = {}) {
      const headers = { 'idempotency-key': idempotencyKey };
      const request = { method: 'POST', body: webhook, headers, idempotent: true, signal } as const;
      return (await transport.json<NewWebhook>('v1/webhooks', request)).body;
    },
    list: (query = {}, options) => readPage(transport, 'v1/webhooks', { ...query }, options),
    all: (query = {}, options) => readPages(transport, 'v1/webhooks', { ...query }, options),
    async get(id, { signal } = {}) {
      return (await transport.json<Webhook>(webhookPath(id), { signal })).body;
    },
    async delete(id, { signal } = {}) {
      await transport.json(webhookPath(id), { method: 'DELETE', signal });
    },
    async rotateSecret(id, { signal } = {}) {
      const request = { method: 'POST', signal } as const;
      return (await transport.json<{ secret: string }>(`${webhookPath(id)}/rotate-secret`, request)).body.secret;
    },
    async callbackSecret({ signal } = {}) {
      return (await transport.json<{ secret: string }>('v1/webhooks/callback-secret', { signal })).body.secret;
    },
    deliveries: (id, filters = {}, options) =>
      readPages(transport, `${webhookPath(id)}/deliveries`, { ...filters }, options),
    async replay(id, deliveryId, { signal } = {}) {
      const path = `${webhookPath(id)}/deliveries/${encodeURIComponent(deliveryId)}/replay`;
      return (await transport.json<WebhookDelivery>(path, { method: 'POST', signal })).body;
    },
  };
}
