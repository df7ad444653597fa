import { describe, expect, test } from 'vitest';
import { forgetSubject, namedSubjects } from './forget-subject.ts';

const forgetting = { subject: 'ann@example.com', pseudonym: 'forgotten-1' };

describe('an approval without a subject', () => {
  test('has a pseudonym where the subject voted, without what it wrote', () => {
    const vote = { decision: 'approved', comment: 'fine', at: '2026-01-01T00:00:00.000Z' };
    const votes = [
      { ...vote, subject: 'ann@example.com' },
      { ...vote, subject: 'bob@example.com' },
    ];
    expect(forgetSubject(votes, forgetting)).toEqual([
      { ...vote, subject: 'forgotten-1', comment: null },
      { ...vote, subject: 'bob@example.com' },
    ]);
  });

  test('names it nowhere, however deep it stands', () => {
    const approval = {
      deciders: { subjects: ['bob@example.com', 'ann@example.com'] },
      delegations: [{ from: 'bob@example.com', to: 'ann@example.com', comment: 'please' }],
    };
    const forgotten = forgetSubject(approval, forgetting);
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
    expect(forgetSubject(data, forgetting)).toBe(data);
    expect(forgetSubject({ decision: 'approved', subject: 'x' }, { ...forgetting, subject: 'approved' })).toEqual({
      decision: 'approved',
      subject: 'x',
    });
  });
});

test('everybody whom an approval names is found', () => {
  const votes = [{ subject: 'ann', comment: 'bob' }];
  const delegations = [{ from: 'cem', to: 'dee' }];
  expect(namedSubjects({ votes, delegations, deciders: { subjects: ['eve'], scopes: ['x'] } })).toEqual([
    'ann',
    'cem',
    'dee',
    'eve',
  ]);
});
