import { readPage, readPages, type Page, type PageQuery } from '../pages.ts';
import type { Transport } from '../transport.ts';
import type { CallOptions, InboundWebhook, InboundWebhookDefinition } from '../types.ts';
import type { CreateOptions } from './webhooks.ts';

/** By which others, who have no token, start goals of templates. */
export interface InboundWebhooks {
  /** Its `url` is where signed messages are sent to. @throws ASTRA_BODY_INVALID, ASTRA_TEMPLATE_INVALID, ASTRA_WEBHOOK_LIMIT */
  create(webhook: InboundWebhookDefinition, options?: CreateOptions): Promise<InboundWebhook>;
  /** One page, newest first. */
  list(query?: PageQuery, options?: CallOptions): Promise<Page<InboundWebhook>>;
  all(query?: PageQuery, options?: CallOptions): AsyncGenerator<InboundWebhook, void, undefined>;
  /** @throws ASTRA_NOT_FOUND */
  get(id: string, options?: CallOptions): Promise<InboundWebhook>;
  /** Replaces all of it, the secret included; its `url` stays. */
  replace(id: string, webhook: InboundWebhookDefinition, options?: CallOptions): Promise<InboundWebhook>;
  delete(id: string, options?: CallOptions): Promise<void>;
}

const webhookPath = (id: string) => `v1/inbound-webhooks/${encodeURIComponent(id)}`;

export function createInboundWebhooks(transport: Transport): InboundWebhooks {
  return {
    async create(webhook, { idempotencyKey = crypto.randomUUID(), signal } = {}) {
      const headers = { 'idempotency-key': idempotencyKey };
      const request = { method: 'POST', body: webhook, headers, idempotent: true, signal } as const;
      return (await transport.json<InboundWebhook>('v1/inbound-webhooks', request)).body;
    },
    list: (query = {}, options) => readPage(transport, 'v1/inbound-webhooks', { ...query }, options),
    all: (query = {}, options) => readPages(transport, 'v1/inbound-webhooks', { ...query }, options),
    async get(id, { signal } = {}) {
      return (await transport.json<InboundWebhook>(webhookPath(id), { signal })).body;
    },
    async replace(id, webhook, { signal } = {}) {
      return (await transport.json<InboundWebhook>(webhookPath(id), { method: 'PUT', body: webhook, signal })).body;
    },
    async delete(id, { signal } = {}) {
      await transport.json(webhookPath(id), { method: 'DELETE', signal });
    },
  };
}
