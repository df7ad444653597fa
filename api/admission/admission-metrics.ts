import { Counter, Gauge, type Registry } from 'prom-client';

/** What admission measures, and what it refused. */
export function createAdmissionMetrics(registry: Registry) {
  const registers = [registry];
  const goals = new Gauge({
    name: 'astra_backlog_goals',
    help: 'Goals that this process has started and no worker has begun',
    registers,
  });
  const speed = new Gauge({
    name: 'astra_backlog_goals_per_second',
    help: 'Such goals that begin each second; 0 while none has to wait',
    registers,
  });
  const refused = new Counter({
    name: 'astra_submissions_refused_total',
    help: 'Submissions refused with ASTRA_OVERLOADED',
    registers,
  });
  return {
    onMeasured({ size, perSecond }: { readonly size: number; readonly perSecond: number | null }): void {
      goals.set(size);
      speed.set(perSecond ?? 0);
    },
    onRefused: () => refused.inc(),
  };
}
