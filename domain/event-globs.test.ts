import { expect, test } from 'vitest';
import { typesOfGlob } from './event-globs.ts';
import { eventTypes } from './schemas/event.ts';

test('`*` names every type of event', () => {
  expect(typesOfGlob('*')).toEqual(eventTypes);
  expect(typesOfGlob('*.*')).toEqual(eventTypes);
});

test('a star stands for either half of a type', () => {
  expect(typesOfGlob('plan.*')).toEqual(['plan.proposed', 'plan.amended', 'plan.approved', 'plan.rejected']);
  expect(typesOfGlob('*.failed')).toEqual(['goal.failed', 'task.failed']);
  expect(typesOfGlob('task.failed')).toEqual(['task.failed']);
});

test.each(['', 'goal', 'goal.', '.completed', 'goal.done', 'goal.comp*', '**', 'goal.*.x', 'Goal.*'])(
  '"%s" names none',
  (glob) => {
    expect(typesOfGlob(glob)).toEqual([]);
  },
);
