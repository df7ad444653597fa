import { createApprovalPolicies, type ApprovalPolicyResource } from './resources/approval-policies.ts';
import { createApprovals, type Approvals } from './resources/approvals.ts';
import { createArchive, type Archive } from './resources/archive.ts';
import { createArtifacts, type Artifacts } from './resources/artifacts.ts';
import {
  createDeletions,
  createSubjects,
  createTenant,
  type Deletions,
  type Subjects,
  type TenantResource,
} from './resources/deletions.ts';
import { createBudgets, type Budgets } from './resources/budgets.ts';
import { createGoals, type Goals } from './resources/goals.ts';
import { createSchedules, type Schedules } from './resources/schedules.ts';
import { createInboundWebhooks, type InboundWebhooks } from './resources/inbound-webhooks.ts';
import { createRetention, type RetentionResource } from './resources/retention.ts';
import { createLimits, type Limits } from './resources/limits.ts';
import { createTasks, type Tasks } from './resources/tasks.ts';
import { createTemplates, type Templates } from './resources/templates.ts';
import { createTokens, type Tokens } from './resources/tokens.ts';
import { createTools, type Tools } from './resources/tools.ts';
import { createWebhooks, type Webhooks } from './resources/webhooks.ts';
import { createTransport, type AstraOptions } from './transport.ts';
import type { CallOptions } from './types.ts';

/** Who the token says you are. */
export interface Me {
  readonly subject: string;
  readonly tenant: string;
  readonly scopes: readonly string[];
}

export interface Astra {
  readonly goals: Goals;
  readonly approvals: Approvals;
  readonly approvalPolicies: ApprovalPolicyResource;
  readonly budgets: Budgets;
  readonly tasks: Tasks;
  readonly templates: Templates;
  readonly schedules: Schedules;
  readonly limits: Limits;
  readonly tools: Tools;
  readonly artifacts: Artifacts;
  readonly webhooks: Webhooks;
  readonly inboundWebhooks: InboundWebhooks;
  readonly tokens: Tokens;
  readonly retention: RetentionResource;
  readonly archive: Archive;
  readonly deletions: Deletions;
  readonly tenant: TenantResource;
  readonly subjects: Subjects;
  me(options?: CallOptions): Promise<Me>;
}

/**
 * A client of one Astra API. Needs `fetch` and nothing else: Node, browsers, workers, edge runtimes.
 *
 * Every call rejects with `AstraApiError` (see `isAstraError`), or with the signal's reason when it is aborted. Calls
 * that may be repeated are: on connection errors, 429, 502, 503 and 504, with jittered exponential back-off or when
 * `Retry-After` says.
 * @throws TypeError when `apiUrl` is not an absolute http or https URL
 */
export function createAstra(options: AstraOptions): Astra {
  const transport = createTransport(options);
  const goals = createGoals(transport);
  return {
    goals,
    approvals: createApprovals(transport),
    approvalPolicies: createApprovalPolicies(transport),
    budgets: createBudgets(transport),
    tasks: createTasks(transport),
    templates: createTemplates(transport, goals),
    schedules: createSchedules(transport),
    limits: createLimits(transport),
    tools: createTools(transport),
    artifacts: createArtifacts(transport),
    webhooks: createWebhooks(transport),
    inboundWebhooks: createInboundWebhooks(transport),
    tokens: createTokens(transport),
    retention: createRetention(transport),
    archive: createArchive(transport),
    deletions: createDeletions(transport),
    tenant: createTenant(transport),
    subjects: createSubjects(transport),
    async me({ signal } = {}) {
      return (await transport.json<Me>('v1/me', { signal })).body;
    },
  };
}
