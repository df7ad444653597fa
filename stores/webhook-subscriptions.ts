import type { Redis } from 'ioredis';
import { typesOfGlob } from '../domain/event-globs.ts';
import type { EventType } from '../domain/schemas/event.ts';
import type { Logger } from '../platform/logger.ts';
import { followAnnouncements, type Announced } from './announced.ts';
import { keys } from './cache/keys.ts';
import type { Subscription, WebhookStore } from './postgres/webhooks.ts';

/** Ids of webhooks by the type of event that they want. */
export type SubscribedTypes = ReadonlyMap<EventType, readonly string[]>;

/** The webhooks of all tenants in the memory of a worker. Nothing may be recorded before they are `loaded`. */
export interface WebhookSubscriptions extends Announced {
  /** Undefined: the tenant has none. */
  of(tenant: string): SubscribedTypes | undefined;
}

/** What is created is in force within a second: see announced.ts. */
export function createWebhookSubscriptions(
  deps: { readonly store: Pick<WebhookStore, 'subscriptions'>; readonly redis: Redis },
  options: { readonly logger: Pick<Logger, 'warn'> },
): WebhookSubscriptions {
  let tenants: ReadonlyMap<string, SubscribedTypes> = new Map();
  const announced = followAnnouncements(deps.redis, {
    channel: keys.webhookChanges,
    async load() {
      const ofTenant = Map.groupBy(await deps.store.subscriptions(), ({ tenant }) => tenant);
      tenants = new Map([...ofTenant].map(([tenant, subscriptions]) => [tenant, byType(subscriptions)]));
    },
    onAway: (error) => options.logger.warn({ err: error }, 'webhooks cannot be read; those known stay in force'),
  });
  return { ...announced, of: (tenant) => tenants.get(tenant) };
}

function byType(subscriptions: readonly Subscription[]): SubscribedTypes {
  const pairs = subscriptions.flatMap(({ webhookId, events }) =>
    [...new Set(events.flatMap(typesOfGlob))].map((type) => [type, webhookId] as const),
  );
  return new Map([...Map.groupBy(pairs, ([type]) => type)].map(([type, ofType]) => [type, ofType.map(([, id]) => id)]));
}

/** Tells all workers that webhooks have changed; without Redis they see it by themselves. */
export async function announceWebhookChange(redis: Redis): Promise<void> {
  await redis.publish(keys.webhookChanges, '').catch(() => undefined);
}
