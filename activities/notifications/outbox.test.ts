import { expect, test } from 'vitest';
import { goalIdSchema } from '../../domain/schemas/common.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { GoalHead } from '../../domain/schemas/goal.ts';
import { head as trialHead } from '../../domain/test-support/trial-goal.ts';
import { createOutbox } from './outbox.ts';

const goal = { tenant: 'a', goalId: goalIdSchema.parse('gol_0123456789abcdefghij') };
const head: GoalHead = { ...trialHead, id: goal.goalId, tenant: goal.tenant };
const drafts: EventDraft[] = [
  { type: 'task.skipped', taskId: 'a', attempt: 1, at: head.createdAt, data: { reason: 'condition' } },
  { type: 'goal.completed', taskId: null, attempt: 1, at: head.createdAt, data: { output: 1 } },
];
const events = drafts.map((draft, index) => ({
  event: { ...draft, goalId: goal.goalId, seq: index + 5 },
  dataJson: '{}',
}));
const whk = (digit: string) => `whk_${digit.repeat(22)}`;
const outbox = createOutbox({
  of: (tenant) =>
    tenant === 'a'
      ? new Map([
          ['task.skipped', [whk('1')]],
          ['goal.completed', [whk('1'), whk('2')]],
        ])
      : undefined,
});

test('each webhook is told of the events that it wants', () => {
  const deliveries = outbox(goal, { head, events });
  expect(deliveries.map(({ webhookId, endpoint, url, event }) => [webhookId, endpoint, url, event.seq])).toEqual([
    [whk('1'), whk('1'), null, 5],
    [whk('1'), whk('1'), null, 6],
    [whk('2'), whk('2'), null, 6],
  ]);
  expect(new Set(deliveries.map(({ id }) => id)).size).toBe(3);
  for (const { id } of deliveries) expect(id).toMatch(/^dlv_[0-9A-Za-z]{22}$/);
});

test('a delivery has the same id whenever it is made, and another one for another tenant’s goal', () => {
  const ids = (tenant: string) =>
    createOutbox({ of: () => new Map([['goal.completed', [whk('1')]]]) })({ ...goal, tenant }, { head, events }).map(
      ({ id }) => id,
    );
  expect(ids('a')).toEqual(ids('a'));
  expect(ids('a')).not.toEqual(ids('b'));
});

test('the callback of a goal is told of its end alone, without any webhook', () => {
  const callbackUrl = 'https://example.com:8443/done?x=1';
  const deliveries = outbox({ ...goal, tenant: 'b' }, { head: { ...head, callbackUrl }, events });
  expect(deliveries).toMatchObject([
    { webhookId: 'callback', endpoint: 'https://example.com:8443', url: callbackUrl, event: { seq: 6 } },
  ]);
});

test('nobody is told of anything where nobody asked', () => {
  expect(outbox({ ...goal, tenant: 'b' }, { head, events })).toEqual([]);
});
