/** Of products of decimal fractions: 0.55 × 100 is 55.00000000000001 in binary. */
const roundingError = 1e-9;

/** How many of a map's items must complete. @param minSuccess the fraction that must, 0 … 1 */
export const requiredSuccesses = (minSuccess: number, items: number): number =>
  Math.ceil(minSuccess * items - roundingError * items);
