import { DefaultLogger } from '@temporalio/worker';
import type { Logger } from '../platform/logger.ts';

/** What the Temporal SDK says, in our log. Failures of activities are logged where they are handled, so only once. */
export function temporalLogger(logger: Logger): DefaultLogger {
  const child = logger.child({ component: 'temporal' });
  return new DefaultLogger('WARN', ({ level, message, meta }) => {
    if (message === 'Activity failed') return;
    if (level === 'ERROR') child.error(meta ?? {}, message);
    else child.warn(meta ?? {}, message);
  });
}
