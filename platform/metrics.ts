import { collectDefaultMetrics, Registry } from 'prom-client';

/** The process's metrics, with Node's own. Each component registers its instruments, named `astra_<noun>_<unit|total>`. */
export function createMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
