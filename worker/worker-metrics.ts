import { Counter, type Registry } from 'prom-client';

/** What a worker counts of its goals. */
export function createWorkerMetrics(registry: Registry) {
  const events = new Counter({
    name: 'astra_events_recorded_total',
    help: 'Events committed to Postgres.',
    registers: [registry],
  });
  return { committed: ({ events: count }: { readonly events: number }) => events.inc(count) };
}
