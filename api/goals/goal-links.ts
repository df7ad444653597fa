import type { GoalId } from '../../domain/schemas/common.ts';
import type { GoalView } from '../../domain/schemas/goal.ts';
import type { Config } from '../../platform/config.ts';
import { goalWorkflowId } from '../../workflows/contract.ts';

type LinkConfig = Pick<Config, 'ASTRA_PUBLIC_URL' | 'ASTRA_TEMPORAL_UI_URL' | 'TEMPORAL_NAMESPACE'>;

export const goalUrl = (config: Pick<Config, 'ASTRA_PUBLIC_URL'>, goalId: GoalId): string =>
  `${config.ASTRA_PUBLIC_URL.replace(/\/$/, '')}/v1/goals/${goalId}`;

function goalLinks(config: LinkConfig, goalId: GoalId): GoalView['links'] {
  const self = goalUrl(config, goalId);
  const temporalUi = config.ASTRA_TEMPORAL_UI_URL.replace(/\/$/, '');
  const workflow = encodeURIComponent(goalWorkflowId(goalId));
  return {
    self,
    graph: `${self}/graph`,
    events: `${self}/events`,
    temporal: `${temporalUi}/namespaces/${encodeURIComponent(config.TEMPORAL_NAMESPACE)}/workflows/${workflow}`,
  };
}

/**
 * A cached view with its links, which depend on where the API is reached and so are not cached. The view's text is
 * extended, not parsed: of a hot read, parsing would be the dearest part.
 */
export function withLinks(config: LinkConfig, goalId: GoalId, viewJson: string): string {
  return `${viewJson.slice(0, viewJson.lastIndexOf('}'))},"links":${JSON.stringify(goalLinks(config, goalId))}}`;
}
