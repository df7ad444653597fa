const baseMs = 2_000;
const factor = 3;
const capMs = 3 * 3_600_000;

/**
 * How long to wait after so many attempts that failed: 2 s, 6 s, 18 s, … 3 h, of which half is left to chance, so that what
 * failed together does not come together again. In 24 hours that makes some 15 attempts.
 * @param random from [0, 1)
 */
export function retryDelayMs(attempts: number, random: number): number {
  const fullMs = Math.min(capMs, baseMs * factor ** (attempts - 1));
  return Math.round(fullMs * (0.5 + 0.5 * random));
}
