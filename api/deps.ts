import type { Client } from '@temporalio/client';
import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import type { Config } from '../platform/config.ts';
import type { HealthCheck } from '../platform/health.ts';
import type { Logger } from '../platform/logger.ts';
import type { ArchiveStore } from '../stores/archive/archive-store.ts';
import type { ArtifactStore } from '../stores/artifacts/artifact-store.ts';
import type { LiveLane } from '../stores/cache/live-lane.ts';
import type { DurationMemory } from '../stores/duration-memory.ts';
import type { GoalReader } from '../stores/goal-reader.ts';
import type { HotViews } from '../stores/hot-views.ts';
import type { ApprovalPolicyStore } from '../stores/postgres/approval-policies.ts';
import type { ApprovalStore } from '../stores/postgres/approvals.ts';
import type { ArchivedGoals } from '../stores/postgres/archived-goals.ts';
import type { ArtifactList } from '../stores/postgres/artifacts.ts';
import type { CascadeStore } from '../stores/postgres/cascades.ts';
import type { DeletionStore } from '../stores/postgres/deletions.ts';
import type { BudgetLimits } from '../stores/postgres/budget-limits.ts';
import type { BudgetLedger } from '../stores/postgres/budgets.ts';
import type { GoalList } from '../stores/postgres/goal-list.ts';
import type { DeliveryLog } from '../stores/postgres/delivery-log.ts';
import type { InboundWebhookStore } from '../stores/postgres/inbound-webhooks.ts';
import type { SigningSecrets } from '../stores/postgres/signing-secrets.ts';
import type { GoalTree } from '../stores/postgres/goal-tree.ts';
import type { ParkedTaskStore } from '../stores/postgres/parked-tasks.ts';
import type { RetentionPolicies } from '../stores/postgres/retention-policies.ts';
import type { LimitWaiters } from '../stores/postgres/limit-waiters.ts';
import type { LimitStore } from '../stores/postgres/limits.ts';
import type { PlanProposals } from '../stores/postgres/plan-proposals.ts';
import type { TemplateStore } from '../stores/postgres/templates.ts';
import type { ToolStore } from '../stores/postgres/tools.ts';
import type { WebhookStore } from '../stores/postgres/webhooks.ts';
import type { RevokedTokens } from '../stores/revoked-tokens.ts';
import type { Admission } from './admission/admission.ts';
import type { TokenVerifier } from './auth/token-verifier.ts';
import type { ToolCatalogue } from '../stores/tool-catalogue.ts';
import type { GoalEngine } from './goals/goal-engine.ts';
import type { ScheduleEngine } from './schedules/schedule-engine.ts';
import type { TellWorkers } from './goals/tell-workers.ts';

/** Everything the API is made of; api/main.ts puts it together. */
export interface ApiDeps {
  readonly config: Pick<
    Config,
    'ASTRA_PUBLIC_URL' | 'ASTRA_TEMPORAL_UI_URL' | 'TEMPORAL_NAMESPACE' | 'ASTRA_MODEL' | 'ASTRA_RATE_LIMIT_PER_SECOND'
  >;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly tokens: TokenVerifier;
  readonly revokedTokens: RevokedTokens;
  readonly redis: Redis;
  readonly temporal: Client;
  readonly engine: GoalEngine;
  readonly schedules: ScheduleEngine;
  readonly admission: Admission;
  readonly tellWorkers: TellWorkers;
  readonly reader: GoalReader;
  readonly durations: Pick<DurationMemory, 'read'>;
  readonly hotViews: HotViews;
  readonly lane: LiveLane;
  readonly goalList: GoalList;
  readonly cascades: CascadeStore;
  readonly proposals: PlanProposals;
  readonly approvals: ApprovalStore;
  readonly approvalPolicies: ApprovalPolicyStore;
  readonly budgets: BudgetLimits;
  readonly ledger: Pick<BudgetLedger, 'takeWaiting'>;
  readonly limits: LimitStore;
  readonly limitWaiters: Pick<LimitWaiters, 'at'>;
  readonly parkedTasks: ParkedTaskStore;
  readonly templates: TemplateStore;
  readonly tools: ToolStore;
  readonly catalogue: ToolCatalogue;
  readonly webhooks: WebhookStore;
  readonly signingSecrets: SigningSecrets;
  readonly deliveryLog: DeliveryLog;
  readonly inboundWebhooks: InboundWebhookStore;
  readonly artifactList: ArtifactList;
  readonly artifactStore: Pick<ArtifactStore, 'presign'>;
  readonly goalTree: GoalTree;
  readonly retention: Pick<RetentionPolicies, 'get' | 'put'>;
  readonly deletions: Pick<DeletionStore, 'create' | 'get' | 'isLeaving'>;
  readonly archivedGoals: Pick<ArchivedGoals, 'list' | 'get'>;
  readonly archive: Pick<ArchiveStore, 'presignRecord' | 'presignArtifact'>;
  readonly checks: Readonly<Record<string, HealthCheck>>;
  /** Aborted when the process goes down: ends streams and long polls. */
  readonly shutdown: AbortSignal;
}
