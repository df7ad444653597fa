import { z } from 'zod';
import { goalIdSchema, jsonObjectSchema, timestampSchema } from './common.ts';
import { goalSubmissionSchema } from './goal.ts';

export const scheduleNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a lower-case name of at most 63 characters');

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const timing = {
  /** Five fields (minute to day of week), six (a year too) or seven (seconds first), or `@daily` and the like. */
  cron: z
    .string()
    .max(200)
    .regex(
      /^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[\dA-Za-z*?,/-]+( +[\dA-Za-z*?,/-]+){4,6})$/,
      'must be a cron expression of 5 to 7 fields, or @hourly, @daily, @weekly, @monthly, @yearly',
    )
    .optional(),
  everySeconds: z.int().min(1).max(31_536_000).optional(),
  jitterSeconds: z.int().min(0).max(86_400).optional(),
  overlap: z.enum(['skip', 'buffer', 'allow', 'cancel_other']).optional(),
  timezone: z.string().max(64).refine(isTimeZone, 'is not a time zone, such as Europe/Berlin').optional(),
};

const hasOneTiming = ({ cron, everySeconds }: { cron?: string | undefined; everySeconds?: number | undefined }) =>
  (cron === undefined) !== (everySeconds === undefined);
const oneTiming = { message: 'give one of cron and everySeconds', path: ['cron'] };

/** The body of `POST /v1/schedules`. */
export const scheduleDefinitionSchema = z
  .strictObject({ name: scheduleNameSchema, ...timing, goal: goalSubmissionSchema })
  .refine(hasOneTiming, oneTiming);
export type ScheduleDefinition = z.infer<typeof scheduleDefinitionSchema>;
export type ScheduleOverlap = NonNullable<ScheduleDefinition['overlap']>;

/** The same while the goal is not looked at yet: a body with a plan is validated as `POST /v1/goals` does it. */
export const scheduleFrameSchema = z
  .strictObject({ name: scheduleNameSchema, ...timing, goal: jsonObjectSchema })
  .refine(hasOneTiming, oneTiming);

/** `GET /v1/schedules/{name}`. */
export const scheduleSchema = z.strictObject({
  name: scheduleNameSchema,
  cron: z.string().nullable(),
  everySeconds: z.int().nullable(),
  jitterSeconds: z.int(),
  overlap: z.enum(['skip', 'buffer', 'allow', 'cancel_other']),
  timezone: z.string(),
  goal: goalSubmissionSchema,
  paused: z.boolean(),
  /** Why it is paused, or goes on. */
  note: z.string().nullable(),
  nextRuns: z.array(timestampSchema),
  /** The latest, oldest first. */
  recentRuns: z.array(
    z.strictObject({ goalId: goalIdSchema, scheduledAt: timestampSchema, startedAt: timestampSchema }),
  ),
  createdAt: timestampSchema,
  updatedAt: timestampSchema.nullable(),
});
export type Schedule = z.infer<typeof scheduleSchema>;
