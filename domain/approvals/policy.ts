import { riskOf, type PlanOutline, type TaskOutline } from '../plan-outline.ts';
import type { PolicyRule } from '../schemas/approval-policy.ts';
import type { ToolManifest } from '../schemas/tool.ts';
import { matchesGlob } from './matches-glob.ts';

/** A tool call as far as policy cares. */
export interface PolicedCall {
  readonly tool: string;
  readonly agentId: string | null;
  readonly risk: ToolManifest['risk'];
}

/** What a call needs; of `ask`, how. */
export type Verdict = Omit<PolicyRule, 'tool' | 'agentId' | 'risk'>;

const withoutRule: Readonly<Record<ToolManifest['risk'], Verdict>> = {
  high: { decision: 'ask' },
  low: { decision: 'allow' },
};

const covers = (rule: PolicyRule, { tool, agentId, risk }: PolicedCall): boolean =>
  (rule.risk === undefined || rule.risk === risk) &&
  (rule.agentId === undefined || rule.agentId === agentId) &&
  matchesGlob(rule.tool, tool);

/** The first rule that matches decides; without one a call of high risk asks, and any other runs. */
export const verdictOf = (rules: readonly PolicyRule[], call: PolicedCall): Verdict =>
  rules.find((rule) => covers(rule, call)) ?? withoutRule[call.risk];

/** Marks the tasks whose calls the rules do not simply allow, so that none of them runs in a segment. */
export function guardOutline(outline: PlanOutline, rules: readonly PolicyRule[], agentId: string | null): PlanOutline {
  if (rules.length === 0) return outline;
  // A plan of 10,000 tasks calls a handful of tools.
  const known = new Map<string, boolean>();
  const isAllowed = (tool: string, task: TaskOutline): boolean => {
    const risk = riskOf(task, undefined);
    const key = `${risk} ${tool}`;
    const allowed = known.get(key) ?? verdictOf(rules, { tool, agentId, risk }).decision === 'allow';
    known.set(key, allowed);
    return allowed;
  };
  const guard = (task: TaskOutline): TaskOutline =>
    task.tool === undefined || isAllowed(task.tool, task) ? task : { ...task, guarded: true };
  return { ...outline, tasks: outline.tasks.map(guard) };
}
