import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffSeconds, retryOf, timeoutSecondsOf } from './retry.ts';
import type { ToolBinding } from './plan-outline.ts';

const binding = (part: Partial<ToolBinding>): ToolBinding => ({
  workerClass: 'tools',
  execution: 'activity',
  effect: 'idempotent',
  timeoutSeconds: 30,
  ...part,
});

describe('how often a task is tried', () => {
  test('a tool that may run again is tried three times unless its task says otherwise', () => {
    expect(retryOf({}, binding({})).maxAttempts).toBe(3);
    expect(retryOf({ retry: { maxAttempts: 7 } }, binding({})).maxAttempts).toBe(7);
  });

  test('a pure tool and one that must run once are tried once', () => {
    expect(retryOf({}, binding({ execution: 'inline', effect: 'none' })).maxAttempts).toBe(1);
    expect(retryOf({}, binding({ effect: 'once' })).maxAttempts).toBe(1);
  });

  test("a task's own time-out comes before its tool's", () => {
    expect(timeoutSecondsOf({ timeoutSeconds: 5 }, binding({}))).toBe(5);
    expect(timeoutSecondsOf({}, binding({}))).toBe(30);
  });
});

test('pauses between attempts never shrink and never pass their maximum', () => {
  const policy = fc.record({
    initialIntervalSeconds: fc.double({ min: 0.01, max: 60, noNaN: true }),
    backoffCoefficient: fc.double({ min: 1, max: 10, noNaN: true }),
    maxIntervalSeconds: fc.double({ min: 0.01, max: 600, noNaN: true }),
  });
  fc.assert(
    fc.property(policy, fc.integer({ min: 1, max: 100 }), (retry, attempt) => {
      const schedule = retryOf({ retry }, undefined);
      const pause = backoffSeconds(schedule, attempt);
      expect(pause).toBeLessThanOrEqual(retry.maxIntervalSeconds);
      expect(backoffSeconds(schedule, attempt + 1)).toBeGreaterThanOrEqual(pause);
    }),
  );
});
