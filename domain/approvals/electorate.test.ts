import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { delegationRefusal, voteRefusal, type Electorate } from './electorate.ts';

const open: Electorate = { deciders: null, delegations: [] };
const named: Electorate = { deciders: { subjects: ['ann', 'bob'], scopes: ['finance'] }, delegations: [] };
const voter = (subject: string, ...scopes: string[]) => ({ subject, scopes });

describe('a vote counts', () => {
  test('of anybody where no deciders are named, else of those named and of those with the scope', () => {
    expect(voteRefusal(open, voter('eve'))).toBeNull();
    expect(voteRefusal(named, voter('ann'))).toBeNull();
    expect(voteRefusal(named, voter('eve', 'finance'))).toBeNull();
    expect(voteRefusal(named, voter('eve', 'admin'))).toBe(
      'You may not decide this approval; "ann" or "bob" or who has the scope `finance` may.',
    );
  });

  test('of whom it was passed on to, and no more of who had it', () => {
    const passed = { ...named, delegations: [{ from: 'ann', to: 'eve' }] };
    expect(voteRefusal(passed, voter('eve'))).toBeNull();
    expect(voteRefusal(passed, voter('ann', 'finance'))).toBe('You have passed your vote on to "eve".');
    expect(voteRefusal(passed, voter('cid'))).toContain('"bob" or "eve" or who has');
  });
});

describe('a vote is not passed on', () => {
  const refusal = (electorate: Electorate, subject: string, to: string, ...votedBy: string[]) =>
    delegationRefusal(electorate, new Set(votedBy), { subject, to });

  test('to oneself, to who has one, or to who has passed one on', () => {
    expect(refusal(open, 'ann', 'ann')).toContain('You have your vote');
    expect(refusal(named, 'ann', 'bob')).toContain('"bob" has a vote already');
    expect(refusal(open, 'ann', 'bob', 'bob')).toContain('"bob" has a vote already');
    const passed = { ...open, delegations: [{ from: 'ann', to: 'eve' }] };
    expect(refusal(passed, 'cid', 'eve')).toContain('"eve" has a vote already');
    expect(refusal(passed, 'eve', 'ann')).toContain('"ann" has passed a vote on');
    expect(refusal(passed, 'eve', 'cid')).toBeNull();
  });

  test('more often than it may be', () => {
    const chain = Array.from({ length: limits.delegations }, (_, n) => ({ from: `s${n}`, to: `s${n + 1}` }));
    const last = `s${limits.delegations}`;
    expect(refusal({ ...open, delegations: chain.slice(1) }, last, 'eve')).toBeNull();
    expect(refusal({ ...open, delegations: chain }, last, 'eve')).toContain(`passed on ${limits.delegations} times`);
  });
});

test('however votes are passed on, each goes to one subject and no chain is too long or leads back', () => {
  const subject = fc.constantFrom('ann', 'bob', 'cid', 'dan', 'eve', 'fay', 'gus', 'hal');
  fc.assert(
    fc.property(fc.array(fc.tuple(subject, subject), { maxLength: 40 }), (wishes) => {
      const delegations: { from: string; to: string }[] = [];
      const electorate: Electorate = { deciders: { subjects: ['ann', 'bob', 'cid'] }, delegations };
      for (const [from, to] of wishes) {
        if (voteRefusal(electorate, voter(from)) !== null) continue;
        if (delegationRefusal(electorate, new Set(), { subject: from, to }) === null) delegations.push({ from, to });
      }
      const holders = ['ann', 'bob', 'cid', 'dan', 'eve', 'fay', 'gus', 'hal'].filter(
        (each) => voteRefusal(electorate, voter(each)) === null,
      );
      expect(holders, 'as many may vote as were named').toHaveLength(3);
      for (const start of ['ann', 'bob', 'cid']) {
        let [at, length] = [start, 0];
        for (
          let next = delegations.find(({ from }) => from === at);
          next;
          next = delegations.find((d) => d.from === at)
        ) {
          at = next.to;
          length += 1;
          expect(length).toBeLessThanOrEqual(limits.delegations);
        }
      }
    }),
  );
});
