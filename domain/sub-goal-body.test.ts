import { expect, test } from 'vitest';
import { renderSubGoalBody } from './sub-goal-body.ts';

const childPlan = {
  tasks: [{ id: 'a', kind: 'tool', tool: 'http.fetch', input: { url: '{{ tasks.b.output }}' } }],
  output: '{{ tasks.a.output }}',
};
const scope = { tasks: { pick: { output: { name: 'x', plan: childPlan } } } };

test('a plan written out belongs to the child, everything else is rendered for the parent', () => {
  const body = { objective: 'Do {{ tasks.pick.output.name }}', input: { n: '{{ 1 + 1 }}' }, plan: childPlan };
  expect(renderSubGoalBody(body, scope)).toEqual({ objective: 'Do x', input: { n: 2 }, plan: childPlan });
});

test('a plan that is an expression is the parent’s, and what it gives is left as it is', () => {
  expect(renderSubGoalBody({ plan: '{{ tasks.pick.output.plan }}' }, scope)).toEqual({ plan: childPlan });
});
