import { Argument, Command, Option } from 'commander';
import type { Approval } from '@astra/sdk';
import { approvalHint } from '../approval-hint.ts';
import { describeQuestion } from '../describe-question.ts';
import { readJsonObject } from '../read-input.ts';
import type { Bind, Session } from '../session.ts';
import { takeItems } from '../take-items.ts';
import { clean } from '../text/clean.ts';
import { formatJson } from '../text/format-json.ts';
import { formatTime } from '../text/format-time.ts';
import { formatTable } from '../text/table.ts';
import { terminalWidth } from '../text/terminal-width.ts';

const statuses = [
  'pending',
  'approved',
  'rejected',
  'expired',
  'cancelled',
] as const satisfies readonly Approval['status'][];
/** Of an input in a list, at most this much. */
const shortInput = 60;
const decisions = { approve: 'approved', reject: 'rejected' } as const;

interface ListFlags {
  readonly status: Approval['status'] | 'all';
  readonly goal?: string;
}

async function printApprovals(session: Session, { status, goal }: ListFlags): Promise<undefined> {
  const { astra, io } = session;
  const filters = { goalId: goal, status: status === 'all' ? undefined : status };
  const approvals = await takeItems(astra.approvals.all(filters, { signal: io.signal }), Number.POSITIVE_INFINITY);
  const row = (each: Approval) => {
    const { id, status: state, votes, required, requestedAt, prompt } = each;
    const approved = votes.filter(({ decision }) => decision === 'approved').length;
    const about = describeQuestion(each, shortInput) ?? '';
    return [id, state, `${approved}/${required}`, formatTime(requestedAt, Date.now()), `${prompt} ${about}`.trim()];
  };
  session.print({ items: approvals }, () =>
    approvals.length === 0
      ? ['no approvals']
      : formatTable(['ID', 'STATUS', 'VOTES', 'REQUESTED', 'PROMPT'], approvals.map(row), terminalWidth(io.stdout)),
  );
  if (approvals.some((approval) => approval.status === 'pending'))
    session.note(`see one: npx astra approval get <id>; decide it: ${approvalHint('<id>')}`);
}

const field = (name: string, value: string | null): string[] =>
  value === null ? [] : [`  ${name.padEnd(9)} ${clean(value)}`];
const section = (name: string, value: unknown): string[] => (value === null ? [] : [`${name}:`, formatJson(value)]);
const remark = (comment: string | null): string => (comment === null ? '' : `: ${comment}`);

function whoDecides({ deciders }: Approval): string | null {
  if (deciders === null) return null;
  return [...(deciders.subjects ?? []), ...(deciders.scopes ?? []).map((scope) => `scope ${scope}`)].join(', ');
}

function formatApproval(approval: Approval): string[] {
  const { prompt, status, votes, delegations, required, goalId, agentId, tool, map, expiresAt, onExpiry } = approval;
  return [
    clean(prompt),
    ...field('status', `${status}, needs ${required} to approve`),
    ...field('goal', goalId),
    ...field('agent', agentId),
    ...field('tool', tool && (map ? `${tool}, ${map.items} times` : tool)),
    ...field('deciders', whoDecides(approval)),
    ...field('expires', expiresAt && `${expiresAt}, then ${onExpiry === 'approve' ? 'approved' : 'rejected'}`),
    ...delegations.flatMap(({ from, to, comment, at }) =>
      field('delegated', `${at} by ${from} to ${to}${remark(comment)}`),
    ),
    ...votes.flatMap(({ subject, decision, comment, at }) => field(decision, `${at} by ${subject}${remark(comment)}`)),
    ...section('input', approval.input),
    ...section('input, an artifact', approval.inputArtifact),
    ...section('inputs, the first of them', map?.sample ?? null),
    ...section('edited input', approval.editedInput),
  ];
}

async function printApproval(session: Session, id: string): Promise<undefined> {
  const approval = await session.astra.approvals.get(id, { signal: session.io.signal });
  const { status } = approval;
  session.print(approval, () => formatApproval(approval));
  if (status === 'pending') session.note(`decide: ${approvalHint(id)} [--comment <text>] [--edit <file>]`);
}

interface DecideFlags {
  readonly comment?: string;
  readonly edit?: string;
}

async function decideApproval(
  session: Session,
  id: string,
  decision: keyof typeof decisions,
  { comment, edit }: DecideFlags,
): Promise<undefined> {
  const { astra, io } = session;
  const editedInput = edit === undefined ? undefined : await readJsonObject(edit, io);
  const vote = { decision: decisions[decision], comment, editedInput };
  const approval = await astra.approvals.decide(id, vote, { signal: io.signal });
  const { status, votes, required } = approval;
  const missing = required - votes.filter((given) => given.decision === 'approved').length;
  session.print(approval, () => [
    status === 'pending' ? `${id} pending: ${missing} more of ${required} to approve` : `${id} ${status}`,
  ]);
}

async function delegateApproval(
  session: Session,
  id: string,
  to: string,
  { comment }: Pick<DecideFlags, 'comment'>,
): Promise<undefined> {
  const approval = await session.astra.approvals.delegate(id, { to, comment }, { signal: session.io.signal });
  session.print(approval, () => [`${id}: ${clean(to)} has your vote`]);
}

/** `astra approval …` */
export function createApprovalCommand(bind: Bind): Command {
  const approval = new Command('approval').description('see what waits for a decision, and decide it');
  approval
    .command('list')
    .description('list approvals')
    .addOption(new Option('--status <status>', 'which ones').choices([...statuses, 'all']).default('pending'))
    .option('--goal <id>', 'only of this goal')
    .action(bind(printApprovals));
  approval.command('get <id>').description('show one: prompt, input, votes').action(bind(printApproval));
  approval
    .command('decide')
    .argument('<id>')
    .addArgument(new Argument('<decision>').choices(Object.keys(decisions)))
    .description('approve or reject')
    .option('--comment <text>', 'why')
    .option('--edit <file>', 'JSON object that replaces the input asked about; - is standard input')
    .action(bind(decideApproval));
  approval
    .command('delegate <id> <subject>')
    .description('pass your vote on to somebody else')
    .option('--comment <text>', 'why')
    .action(bind(delegateApproval));
  return approval;
}
