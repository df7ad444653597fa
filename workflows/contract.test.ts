import { expect, test } from 'vitest';
import { goalSearchAttributes, searchAttributes } from './contract.ts';

test('labels that the server would refuse together are left out of the search attributes', () => {
  const labels = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`label-${index}`, '汉'.repeat(100)]));
  const pairs = goalSearchAttributes('test', { labels: { ...labels, last: 'short' } });
  const kept = pairs.find(({ key }) => key === searchAttributes.labels)?.value;
  expect(kept).toContain(`label-0=${'汉'.repeat(100)}`);
  expect(kept).not.toContain(`label-31=${'汉'.repeat(100)}`);
  expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThanOrEqual(2_048);
});
