import type { Logger } from '../../platform/logger.ts';
import type { ArtifactStore } from '../../stores/artifacts/artifact-store.ts';
import type { BudgetedScopes } from '../../stores/budgeted-scopes.ts';
import type { AnswerCache } from '../../stores/cache/answer-cache.ts';
import type { LivePublisher } from '../../stores/cache/live-publisher.ts';
import type { CascadeStore } from '../../stores/postgres/cascades.ts';
import type { GoalWaits } from '../../stores/postgres/goal-waits.ts';
import type { CompensationStore } from '../../stores/postgres/compensations.ts';
import type { PolicyMemory } from '../../stores/policy-memory.ts';
import type { BudgetLedger } from '../../stores/postgres/budgets.ts';
import type { PlanProposals } from '../../stores/postgres/plan-proposals.ts';
import type { TemplateStore } from '../../stores/postgres/templates.ts';
import type { ToolCatalogue } from '../../stores/tool-catalogue.ts';
import type { CallSlots } from '../limits/call-slots.ts';
import type { GoalSlots } from '../limits/goal-slots.ts';
import type { Model } from '../llm/model.ts';
import type { Planners } from '../planner/planner-registry.ts';
import type { Recorder } from '../projection/recorder.ts';
import type { ToolArtifacts } from '../tools/define-tool.ts';
import type { InlinePool } from '../tools/inline-pool.ts';
import type { ToolRegistry } from '../tools/registry.ts';
import type { RunningAttempts } from './running-attempts.ts';

/** What activities need of their process. */
export interface ExecutionDeps {
  readonly recorder: Recorder;
  readonly tools: ToolRegistry;
  readonly inlinePool: InlinePool;
  readonly artifacts: ArtifactStore;
  readonly artifactsOf: (tenant: string) => ToolArtifacts;
  readonly answers: AnswerCache;
  readonly live: LivePublisher;
  readonly templates: Pick<TemplateStore, 'get'>;
  readonly goalWaits: Pick<GoalWaits, 'standing'>;
  readonly cascades: Pick<CascadeStore, 'cancelledSince'>;
  readonly catalogue: ToolCatalogue;
  readonly policies: Pick<PolicyMemory, 'rulesOf'>;
  readonly ledger: BudgetLedger;
  readonly budgetedScopes: Pick<BudgetedScopes, 'of'>;
  readonly model: Model | null;
  readonly planners: Planners;
  readonly proposals: PlanProposals;
  readonly running: RunningAttempts;
  readonly compensations: Pick<CompensationStore, 'ran' | 'isRecorded'>;
  readonly slots: GoalSlots;
  readonly callSlots: CallSlots;
  readonly logger: Pick<Logger, 'error'>;
  /** Told how long a task's first attempt took from being ready to its tool's beginning. */
  readonly onScheduled: (seconds: number) => void;
}
