import { limits } from '../limits.ts';
import type { Deciders, Delegation } from '../schemas/approval.ts';

/** Who may vote on an approval. */
export interface Electorate {
  /** Null: whoever may decide approvals at all. */
  readonly deciders: Deciders | null;
  readonly delegations: readonly Pick<Delegation, 'from' | 'to'>[];
}

export interface Voter {
  readonly subject: string;
  /** Of their token's, at least those that the deciders name. */
  readonly scopes: readonly string[];
}

/**
 * Why the subject's vote does not count; null when it does. Whoever has passed a vote on has none any more, and whoever
 * was passed one has it, named or not.
 */
export function voteRefusal(electorate: Electorate, { subject, scopes }: Voter): string | null {
  const { deciders, delegations } = electorate;
  const passedOn = delegations.find(({ from }) => from === subject);
  if (passedOn) return `You have passed your vote on to "${passedOn.to}".`;
  if (deciders === null || delegations.some(({ to }) => to === subject)) return null;
  const named = deciders.subjects?.includes(subject) ?? false;
  if (named || (deciders.scopes?.some((scope) => scopes.includes(scope)) ?? false)) return null;
  return `You may not decide this approval; ${listVoters(electorate)} may.`;
}

function listVoters({ deciders, delegations }: Electorate): string {
  const gone = new Set(delegations.map(({ from }) => from));
  const named = new Set([...(deciders?.subjects ?? []), ...delegations.map(({ to }) => to)]);
  return [
    ...[...named].filter((subject) => !gone.has(subject)).map((subject) => `"${subject}"`),
    ...(deciders?.scopes ?? []).map((scope) => `who has the scope \`${scope}\``),
  ].join(' or ');
}

/**
 * Why a vote cannot be passed on so, by a subject that has it; null when it can. Nobody is passed a vote who has one
 * already, or has passed one on: so votes go in no circle and none is lost.
 */
export function delegationRefusal(
  { deciders, delegations }: Electorate,
  votedBy: ReadonlySet<string>,
  { subject, to }: { readonly subject: string; readonly to: string },
): string | null {
  const mayVote = deciders?.subjects?.includes(to) === true || delegations.some((each) => each.to === to);
  if (to === subject) return 'You have your vote already.';
  if (delegations.some(({ from }) => from === to)) return `"${to}" has passed a vote on already; name somebody else.`;
  if (mayVote || votedBy.has(to)) return `"${to}" has a vote already, and nobody has two; name somebody else.`;
  if (timesPassedOn(delegations, subject) < limits.delegations) return null;
  return `This vote has been passed on ${limits.delegations} times, which is as often as it may be. Decide yourself.`;
}

function timesPassedOn(delegations: Electorate['delegations'], holder: string): number {
  const last = delegations.find(({ to }) => to === holder);
  return last ? 1 + timesPassedOn(delegations, last.from) : 0;
}
