import { Command } from 'commander';
import type { ApprovalPolicies, ApprovalPolicyRule } from '@astra/sdk';
import { readJsonObject } from '../read-input.ts';
import type { Bind, Session } from '../session.ts';
import { formatTable } from '../text/table.ts';
import { terminalWidth } from '../text/terminal-width.ts';
import { UsageError } from '../usage-error.ts';

function formatTerms({ required, deciders, expiresSeconds, onExpiry }: ApprovalPolicyRule): string {
  const who = [...(deciders?.subjects ?? []), ...(deciders?.scopes ?? []).map((scope) => `scope ${scope}`)];
  return [
    required === undefined ? '' : `${required} to approve`,
    who.length === 0 ? '' : `of ${who.join(', ')}`,
    expiresSeconds === undefined ? '' : `within ${expiresSeconds} s, else ${onExpiry ?? 'reject'}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function printPolicies({ print, io }: Session, policies: ApprovalPolicies): void {
  const rows = policies.rules.map((rule) => [
    rule.tool,
    rule.agentId ?? 'any',
    rule.risk ?? 'any',
    rule.decision,
    formatTerms(rule),
  ]);
  print(policies, () =>
    rows.length === 0
      ? ['no rules: calls of high risk ask, all others run']
      : formatTable(['TOOL', 'AGENT', 'RISK', 'DECISION', 'HOW'], rows, terminalWidth(io.stdout)),
  );
}

async function getPolicies(session: Session): Promise<undefined> {
  printPolicies(session, await session.astra.approvalPolicies.get({ signal: session.io.signal }));
}

async function setPolicies(session: Session, file: string): Promise<undefined> {
  const { rules } = await readJsonObject(file, session.io);
  if (!Array.isArray(rules)) throw new UsageError(`${file} must have "rules", a list`);
  // The API parses them, and points at whatever is wrong with them.
  const given = rules as ApprovalPolicyRule[];
  printPolicies(session, await session.astra.approvalPolicies.set(given, { signal: session.io.signal }));
}

/** `astra approval-policy …` */
export function createApprovalPolicyCommand(bind: Bind): Command {
  const policy = new Command('approval-policy').description('say which tool calls ask people first');
  policy
    .command('get')
    .description('print the rules; the first that matches a call counts')
    .action(bind((session) => getPolicies(session)));
  policy
    .command('set <file>')
    .description(
      'replace them by the "rules" of a JSON file (- is standard input); what get -o json prints may be set back',
    )
    .action(bind(setPolicies));
  return policy;
}
