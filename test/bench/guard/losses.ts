/** By bench and ratio, `execution.diamond_pure`: the more the better. */
export type Ratios = Readonly<Record<string, number>>;

/** What is left of a ratio when it has lost 30 %: less than noise explains, once the best of several runs is taken. */
const leastShare = 0.7;

/** Which ratios have fallen below 70 % of the baseline, each as a sentence. What is not in the baseline is not judged. */
export function lossesOf(baseline: Ratios, measured: Ratios): string[] {
  return Object.entries(measured).flatMap(([name, ratio]) => {
    const before = baseline[name];
    if (before === undefined || ratio >= leastShare * before) return [];
    const share = Math.round((100 * ratio) / before);
    return [`${name} is ${ratio.toPrecision(3)}, which is ${share} % of the ${before.toPrecision(3)} it was`];
  });
}

/** Of each ratio the best. */
export function bestOf(runs: readonly Ratios[]): Ratios {
  const best: Record<string, number> = {};
  for (const run of runs)
    for (const [name, ratio] of Object.entries(run)) best[name] = Math.max(best[name] ?? 0, ratio);
  return best;
}
