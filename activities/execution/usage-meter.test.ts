import { expect, test } from 'vitest';
import { createUsageMeter } from './usage-meter.ts';

test('adds up what is reported, and says when nothing was', () => {
  const meter = createUsageMeter();
  expect(meter.total).toBeNull();
  meter.add({ usd: '0.10', tokens: 3 });
  meter.add({ usd: '0.20', tokens: 4 });
  expect(meter.total).toEqual({ usd: '0.30', tokens: 7 });
});

test('takes what is no amount for none', () => {
  const meter = createUsageMeter();
  for (const tokens of [NaN, -1, 0.5, Infinity]) meter.add({ usd: '-1', tokens });
  expect(meter.total).toEqual({ usd: '0', tokens: 0 });
});
