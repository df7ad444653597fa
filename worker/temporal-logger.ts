import { DefaultLogger } from '@temporalio/worker';
import type { Logger } from '../platform/logger.ts';

/** A failed activity is logged where its failure is handled; why a goal failed is in its record. */
const toldElsewhere = new Set(['Activity failed', 'Workflow failed']);

/** What the Temporal SDK says, in our log. */
export function temporalLogger(logger: Logger): DefaultLogger {
  const child = logger.child({ component: 'temporal' });
  return new DefaultLogger('WARN', ({ level, message, meta }) => {
    if (toldElsewhere.has(message)) return;
    if (level === 'ERROR') child.error(meta ?? {}, message);
    else child.warn(meta ?? {}, message);
  });
}
