export interface DependencyHealth {
  readonly state: 'up' | 'down';
  readonly latencyMs: number;
  readonly detail?: string;
}
/** Resolves when the dependency answers; rejects with the reason when it does not. */
export type HealthCheck = () => Promise<unknown>;

const checkTimeoutMs = 2_000;

/** Asks all dependencies at once, each for at most two seconds. */
export async function checkHealth(
  checks: Readonly<Record<string, HealthCheck>>,
): Promise<Record<string, DependencyHealth>> {
  const entries = Object.entries(checks).map(async ([name, check]) => [name, await probe(check)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function probe(check: HealthCheck): Promise<DependencyHealth> {
  const begin = performance.now();
  const latencyMs = () => Math.round((performance.now() - begin) * 10) / 10;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer within 2 s')), checkTimeoutMs);
  });
  try {
    await Promise.race([check(), timeout]);
    return { state: 'up', latencyMs: latencyMs() };
  } catch (error) {
    return { state: 'down', latencyMs: latencyMs(), detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
