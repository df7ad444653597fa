import { hash } from 'node:crypto';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { prefixedId } from '../../domain/ids.ts';
import type { EventType } from '../../domain/schemas/event.ts';
import { callbackId } from '../../domain/schemas/webhook.ts';
import type { DeliveryWrite } from '../../stores/goal-write.ts';
import type { WebhookSubscriptions } from '../../stores/webhook-subscriptions.ts';
import type { FindDeliveries } from '../projection/fold.ts';

const none: readonly DeliveryWrite[] = [];
const finalTypes: ReadonlySet<EventType> = new Set(['goal.completed', 'goal.failed', 'goal.cancelled']);

/** Who is to be told of new events: the tenant's webhooks, and the goal's `callbackUrl` of its end. */
export function createOutbox(subscriptions: Pick<WebhookSubscriptions, 'of'>): FindDeliveries {
  return (goal, { head, events }) => {
    const subscribed = subscriptions.of(goal.tenant);
    const callbackUrl = head?.callbackUrl;
    if (subscribed === undefined && callbackUrl === undefined) return none;
    return events.flatMap(({ event }) => [
      ...(subscribed?.get(event.type) ?? []).map((webhookId) => ({
        id: deliveryId(goal, event.seq, { to: webhookId }),
        webhookId,
        endpoint: webhookId,
        url: null,
        event,
      })),
      ...(callbackUrl !== undefined && finalTypes.has(event.type)
        ? [
            {
              id: deliveryId(goal, event.seq, { to: callbackId }),
              webhookId: callbackId,
              endpoint: new URL(callbackUrl).origin,
              url: callbackUrl,
              event,
            },
          ]
        : []),
    ]);
  };
}

/** The same at each try of a commit, and of all its senders: a receiver knows by it what it has had already. */
const deliveryId = ({ tenant, goalId }: GoalRef, seq: number, { to }: { readonly to: string }): string =>
  prefixedId('dlv', hash('sha256', `${tenant}/${goalId}/${seq}/${to}`, 'buffer'));
