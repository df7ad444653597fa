import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judge } from './limit-judgement.ts';

const idle = { holding: 0, ahead: 0, paidUntilMs: -Infinity };
const inLine = { nowMs: 1_000_000, inLine: true };

describe('concurrency', () => {
  test('a place is free while fewer hold one than are allowed', () => {
    expect(judge({ concurrency: 2 }, { ...idle, holding: 1 }, inLine)).toEqual({ free: true, paidUntilMs: null });
    expect(judge({ concurrency: 2 }, { ...idle, holding: 2 }, inLine)).toEqual({
      free: false,
      kind: 'concurrency',
      untilMs: null,
    });
  });

  test('a free place belongs to whoever comes first', () => {
    const standing = { ...idle, holding: 1, ahead: 1 };
    expect(judge({ concurrency: 2 }, standing, inLine).free).toBe(false);
    expect(judge({ concurrency: 3 }, standing, inLine).free).toBe(true);
  });

  test('calls have no places in a line', () => {
    expect(judge({ concurrency: 2 }, { ...idle, holding: 1, ahead: 9 }, { ...inLine, inLine: false }).free).toBe(true);
  });
});

describe('a rate', () => {
  const rate = { limit: 3, perSeconds: 30 };

  test('that was not used lets its limit begin at once, and then one each interval', () => {
    let paidUntilMs = -Infinity;
    const begunAt: number[] = [];
    for (let nowMs = 0; begunAt.length < 6; nowMs += 1_000) {
      for (;;) {
        const judgement = judge({ rate }, { ...idle, paidUntilMs }, { nowMs, inLine: true });
        if (!judgement.free) break;
        paidUntilMs = judgement.paidUntilMs ?? 0;
        begunAt.push(nowMs);
      }
    }
    expect(begunAt).toEqual([0, 0, 0, 10_000, 20_000, 30_000]);
  });

  test('says when each that waits may begin', () => {
    const used = { ...idle, paidUntilMs: inLine.nowMs + 30_000 };
    const untilOf = (ahead: number) => {
      const judgement = judge({ rate }, { ...used, ahead }, inLine);
      return judgement.free ? null : (judgement.untilMs ?? 0) - inLine.nowMs;
    };
    expect([0, 1, 2].map(untilOf)).toEqual([10_000, 20_000, 30_000]);
  });

  test('lets no more begin than its limit and one each interval, whoever asks when', () => {
    const limits = fc.record({ limit: fc.integer({ min: 1, max: 20 }), perSeconds: fc.integer({ min: 1, max: 100 }) });
    const pauses = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 200 });
    fc.assert(
      fc.property(limits, pauses, (rate, pausesMs) => {
        let nowMs = 0;
        let paidUntilMs = -Infinity;
        const begunAt: number[] = [];
        for (const pauseMs of pausesMs) {
          nowMs += pauseMs;
          const judgement = judge({ rate }, { ...idle, paidUntilMs }, { nowMs, inLine: true });
          if (!judgement.free) continue;
          paidUntilMs = judgement.paidUntilMs ?? 0;
          begunAt.push(nowMs);
        }
        const intervalMs = (rate.perSeconds * 1_000) / rate.limit;
        begunAt.forEach((first, from) =>
          begunAt.slice(from).forEach((last, count) => {
            expect(count + 1).toBeLessThanOrEqual(rate.limit + (last - first) / intervalMs + 1e-6);
          }),
        );
      }),
    );
  });
});
