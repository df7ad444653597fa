import { Counter, Histogram, type Registry } from 'prom-client';

/** What a worker counts of its goals. */
export function createWorkerMetrics(registry: Registry) {
  const events = new Counter({
    name: 'astra_events_recorded_total',
    help: 'Events committed to Postgres.',
    registers: [registry],
  });
  const scheduling = new Histogram({
    name: 'astra_task_scheduling_seconds',
    help: 'From a task being ready to its tool running, of first attempts of tasks with an activity of their own.',
    buckets: [0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
  });
  const attempts = new Counter({
    name: 'astra_webhook_attempts_total',
    help: 'Attempts to deliver events to webhooks: delivered, retry (another one follows, or the 24 hours are over), refused, gone (answered 410).',
    labelNames: ['outcome'] as const,
    registers: [registry],
  });
  return {
    committed: ({ events: count }: { readonly events: number }) => events.inc(count),
    scheduled: (seconds: number) => scheduling.observe(seconds),
    attempted: (outcome: string) => attempts.inc({ outcome }),
  };
}
