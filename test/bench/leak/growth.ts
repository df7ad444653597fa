/** The slope of the line through equidistant samples by least squares: growth from one to the next. */
export function growthOf(samples: readonly number[]): number {
  const middle = (samples.length - 1) / 2;
  const mean = samples.reduce((sum, value) => sum + value, 0) / samples.length;
  const covariance = samples.reduce((sum, value, place) => sum + (place - middle) * (value - mean), 0);
  const variance = samples.reduce((sum, _, place) => sum + (place - middle) ** 2, 0);
  return covariance / variance;
}
