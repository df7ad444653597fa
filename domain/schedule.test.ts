import { expect, test } from 'vitest';
import { scheduledGoalId } from './ids.ts';
import { goalIdSchema } from './schemas/common.ts';
import { scheduleDefinitionSchema } from './schemas/schedule.ts';

const goal = { objective: 'x' };
const faults = (definition: object): string[] | undefined =>
  scheduleDefinitionSchema
    .safeParse({ name: 'nightly', goal, ...definition })
    .error?.issues.map(({ path }) => path.join('.'));

test.each(['0 3 * * *', '*/5 8-18 * * MON-FRI', '0 12 1 1 * 2030', '30 0 3 * * * *', '@daily', '@hourly'])(
  'the cron expression %s is taken',
  (cron) => expect(faults({ cron })).toBeUndefined(),
);

test.each([
  '',
  'daily',
  '* * * *',
  '* * * * * * * *',
  'CRON_TZ=Europe/Berlin 0 3 * * *',
  '0 3 * * * # night',
  '@every 1s',
])('the cron expression "%s" is not', (cron) => expect(faults({ cron })).toEqual(['cron']));

test('a schedule has one timing, in a time zone that there is', () => {
  expect(faults({ everySeconds: 60, jitterSeconds: 5, overlap: 'buffer' })).toBeUndefined();
  expect(faults({ cron: '@daily', timezone: 'Europe/Berlin' })).toBeUndefined();
  expect(faults({})).toEqual(['cron']);
  expect(faults({ cron: '@daily', everySeconds: 60 })).toEqual(['cron']);
  expect(faults({ cron: '@daily', timezone: 'Europe/Atlantis' })).toEqual(['timezone']);
  expect(faults({ everySeconds: 0 })).toEqual(['everySeconds']);
});

test('the id of a goal follows from the run that starts it', () => {
  const runs = ['0199f6a0-1111-7222-8333-444455556666', '0199f6a0-1111-7222-8333-444455556667'];
  const ids = runs.map(scheduledGoalId);
  expect(ids.map((id) => goalIdSchema.safeParse(id).success)).toEqual([true, true]);
  expect(new Set(ids).size).toBe(2);
  expect(scheduledGoalId(runs[0]!)).toBe(ids[0]);
});
