import type { GoalId } from '../../domain/schemas/common.ts';
import type { GoalView } from '../../domain/schemas/goal.ts';
import type { Config } from '../../platform/config.ts';
import { goalWorkflowId } from '../../workflows/contract.ts';

type LinkConfig = Pick<Config, 'ASTRA_PUBLIC_URL' | 'ASTRA_TEMPORAL_UI_URL' | 'TEMPORAL_NAMESPACE'>;

export interface GoalLinks {
  url(goalId: GoalId): string;
  /**
   * A cached view with its links, which depend on where the API is reached and so are not cached. The view's text is
   * extended, not parsed: of a hot read, parsing would be the dearest part.
   */
  addTo(viewJson: string, goalId: GoalId): string;
}

export function createGoalLinks(config: LinkConfig): GoalLinks {
  const goals = `${config.ASTRA_PUBLIC_URL.replace(/\/$/, '')}/v1/goals`;
  const url = (goalId: string): string => `${goals}/${goalId}`;
  // Links differ by the id alone, which is letters and digits: they are written once, with one that stands for all.
  const anyId = 'gol_0000000000000000' as GoalId;
  const pieces = JSON.stringify(linksOf(config, url(anyId), anyId)).split(anyId);

  return {
    url,
    addTo: (viewJson, goalId) => `${viewJson.slice(0, viewJson.lastIndexOf('}'))},"links":${pieces.join(goalId)}}`,
  };
}

function linksOf(config: LinkConfig, self: string, goalId: GoalId): GoalView['links'] {
  const temporalUi = config.ASTRA_TEMPORAL_UI_URL.replace(/\/$/, '');
  const workflow = encodeURIComponent(goalWorkflowId(goalId));
  return {
    self,
    graph: `${self}/graph`,
    events: `${self}/events`,
    temporal: `${temporalUi}/namespaces/${encodeURIComponent(config.TEMPORAL_NAMESPACE)}/workflows/${workflow}`,
  };
}
