import { expect, test } from 'vitest';
import type { WaitingFor } from '@astra/sdk';
import { describeEta, describeWait } from './describe-wait.ts';

const described = (kind: WaitingFor['kind'], detail: string, until: string | null = null): string =>
  describeWait({ kind, detail, until }, (at) => at);

test.each<[WaitingFor['kind'], string, string]>([
  ['dependency', 'a, b', 'waits for a, b'],
  ['worker', 'sandbox', 'waits for a worker (sandbox)'],
  ['retry', 'ASTRA_TOOL_FAILED', 'waits to try again'],
  ['approval', 'apr_x', 'waits for a decision'],
  ['timer', '60 s', 'waits'],
  ['event', 'paid', 'waits for event paid'],
  ['concurrency', 'payments', 'waits for room under limit payments'],
  ['rate_limit', 'payments', 'waits for its turn under limit payments'],
  ['budget', 'usd of tenant', 'waits for budget: usd of tenant'],
  ['paused', 'lunch', 'paused: lunch'],
  ['dead_letter', 'ASTRA_TOOL_FAILED', 'put aside: retry or discard it'],
  ['goal_ending', 'the goal has failed', 'does not start: the goal has failed'],
])('%s', (kind, detail, text) => expect(described(kind, detail)).toBe(text));

test('says until when', () => expect(described('timer', '60 s', 'noon')).toBe('waits until noon'));

test.each([
  [-5, '1 s'],
  [11.2, '12 s'],
  [100, '2 min'],
  [3_600, '60 min'],
  [7_201, '3 h'],
  [86_400 * 3, '3 d'],
])('what ends in %s s ends in about %s', (seconds, text) => {
  const now = Date.UTC(2026, 0, 1);
  expect(describeEta(new Date(now + seconds * 1_000).toISOString(), now)).toBe(`ends in ~${text}`);
  expect(describeEta(null, now)).toBe('');
});
