import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { createCallSlots, type CallSlots } from '../activities/limits/call-slots.ts';
import { createGoalSlots, type GoalSlots } from '../activities/limits/goal-slots.ts';
import { startLimitSweep } from '../activities/limits/limit-sweep.ts';
import type { Logger } from '../platform/logger.ts';
import { createKnownLimits } from '../stores/known-limits.ts';
import { createLimitPlaces } from '../stores/postgres/limit-places.ts';
import { createLimitWaiters } from '../stores/postgres/limit-waiters.ts';
import { createLimitStore } from '../stores/postgres/limits.ts';
import { createGoalSignals } from './goal-signals.ts';

/** What a worker has for the limits of tenants. */
export interface LimitParts {
  readonly ofActivities: { readonly slots: GoalSlots; readonly callSlots: CallSlots };
  /** Resolves when the limits are known, or cannot be read. */
  readonly loaded: Promise<void>;
  /** Looks after the slots of goals, until `close`. */
  sweep(client: Client): void;
  close(): void;
}

export function createLimitParts(pool: Pool, options: { readonly logger: Pick<Logger, 'warn'> }): LimitParts {
  const { logger } = options;
  const limits = createLimitStore(pool);
  const known = createKnownLimits(limits, { logger });
  const places = createLimitPlaces(pool);
  const waiters = createLimitWaiters(pool);
  const slotsBy = (client: () => Client): GoalSlots =>
    createGoalSlots({ known, limits, places, waiters, signals: createGoalSignals(client) });
  let sweep: ReturnType<typeof startLimitSweep> | undefined;
  return {
    ofActivities: {
      slots: slotsBy(() => Context.current().client),
      callSlots: createCallSlots({ known, places }),
    },
    loaded: known.loaded,
    sweep(client) {
      const own = () => client;
      sweep = startLimitSweep({ waiters, slots: slotsBy(own), signals: createGoalSignals(own), logger });
    },
    close() {
      sweep?.close();
      known.close();
    },
  };
}
