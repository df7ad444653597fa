import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addDecimals } from './decimal.ts';

test('adds what binary floating point cannot', () => {
  expect(addDecimals('0.1', '0.2')).toBe('0.3');
  expect(addDecimals('0', '0.0123')).toBe('0.0123');
  expect(addDecimals('9.99', '0.01')).toBe('10.00');
  expect(addDecimals('12', '30')).toBe('42');
});

test('counts text that is no amount as nothing', () => {
  expect(addDecimals('1.5', 'much')).toBe('1.5');
});

test('agrees with integers of the smallest unit', () => {
  const amount = fc.nat(10_000_000);
  const text = (units: number): string => `${Math.floor(units / 10_000)}.${String(units % 10_000).padStart(4, '0')}`;
  const agrees = (a: number, b: number): void => {
    expect(addDecimals(text(a), text(b))).toBe(text(a + b));
  };
  fc.assert(fc.property(amount, amount, agrees));
});
