/** Nearest rank. @throws a RangeError when there are no samples */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
  if (value === undefined) throw new RangeError('there are no samples');
  return value;
}

export const median = (samples: readonly number[]): number => {
  const middle = samples.length / 2;
  const sorted = samples.toSorted((a, b) => a - b);
  return samples.length % 2 === 1
    ? quantile(samples, 0.5)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
};

/** Median with the least and the greatest, as `120 (110–131)`. */
export function spread(samples: readonly number[], show: (value: number) => string): string {
  return `${show(median(samples))} (${show(Math.min(...samples))}–${show(Math.max(...samples))})`;
}
