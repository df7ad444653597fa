import { describe, expect, test } from 'vitest';
import { forgetSubject, namedSubjects, namingOfEvent } from './forget-subject.ts';

const forgetting = { subject: 'ann@example.com', pseudonym: 'forgotten-1' };

describe('an approval without a subject', () => {
  test('has a pseudonym where the subject voted, without what it wrote', () => {
    const vote = { decision: 'approved', comment: 'fine', at: '2026-01-01T00:00:00.000Z' };
    const votes = [
      { ...vote, subject: 'ann@example.com' },
      { ...vote, subject: 'bob@example.com' },
    ];
    expect(forgetSubject(votes, 'approval', forgetting)).toEqual([
      { ...vote, subject: 'forgotten-1', comment: null },
      { ...vote, subject: 'bob@example.com' },
    ]);
  });

  test('names it nowhere, however deep it stands', () => {
    const approval = {
      deciders: { subjects: ['bob@example.com', 'ann@example.com'] },
      delegations: [{ from: 'bob@example.com', to: 'ann@example.com', comment: 'please' }],
    };
    const forgotten = forgetSubject(approval, 'approval', forgetting);
    expect(JSON.stringify(forgotten)).not.toContain('ann@example.com');
    expect(forgotten).toMatchObject({
      deciders: { subjects: ['bob@example.com', 'forgotten-1'] },
      // Somebody else wrote it.
      delegations: [{ from: 'bob@example.com', to: 'forgotten-1', comment: 'please' }],
    });
  });

  test('is the same where the text is no name', () => {
    const data = {
      decision: 'approved',
      prompt: 'ann@example.com',
      subject: 'bob@example.com',
      votes: [],
      input: { to: 'ann@example.com' },
      map: { items: 1, sample: [{ to: 'ann@example.com' }] },
    };
    expect(forgetSubject(data, 'approval', forgetting)).toBe(data);
    expect(
      forgetSubject({ decision: 'approved', subject: 'x' }, 'approval', { ...forgetting, subject: 'approved' }),
    ).toEqual({
      decision: 'approved',
      subject: 'x',
    });
  });
});

test('who changed a plan is forgotten, what has the same text elsewhere is not', () => {
  const amended = {
    by: 'ann@example.com',
    reason: 'ann@example.com',
    outline: { tasks: [{ id: 'a', to: 'ann@example.com' }] },
  };
  expect(forgetSubject(amended, 'change', forgetting)).toEqual({ ...amended, by: 'forgotten-1' });
  const byPlanner = { ...amended, by: 'planner:ann@example.com' };
  expect(forgetSubject(byPlanner, 'change', forgetting)).toBe(byPlanner);
});

test('a plan is given other deciders, however deep; what its tasks and templates are given stays', () => {
  const deciders = { subjects: ['ann@example.com', 'bob@example.com'], scopes: ['ann@example.com'] };
  const given = { deciders, to: 'ann@example.com' };
  const inner = { id: 'ask', kind: 'approval', prompt: 'ann@example.com', input: given, deciders };
  const plan = {
    tasks: [
      { id: 'child', kind: 'goal', goal: { template: { name: 'x', params: given }, plan: { tasks: [inner] } } },
      { id: 'mail', kind: 'tool', input: given, from: 'ann@example.com' },
    ],
  };
  const forgotten = JSON.stringify(forgetSubject(plan, 'plan', forgetting));
  const names = { ...deciders, subjects: ['forgotten-1', 'bob@example.com'] };
  expect(forgotten).toBe(
    JSON.stringify(plan).replace(`"deciders":${JSON.stringify(deciders)}}]`, `"deciders":${JSON.stringify(names)}}]`),
  );
  expect(forgotten).toContain('forgotten-1');
});

test('only events of approvals and changes name subjects', () => {
  const types = ['approval.decided', 'plan.amended', 'goal.retried', 'plan.approved', 'task.completed', 'goal.resumed'];
  expect(types.map(namingOfEvent)).toEqual(['approval', 'change', 'change', null, null, null]);
});

test('everybody whom an approval names is found', () => {
  const votes = [{ subject: 'ann', comment: 'bob' }];
  const delegations = [{ from: 'cem', to: 'dee' }];
  const approval = { votes, delegations, deciders: { subjects: ['eve'], scopes: ['x'] }, input: { to: 'fay' } };
  expect([...namedSubjects(approval, 'approval')]).toEqual(['ann', 'cem', 'dee', 'eve']);
});
