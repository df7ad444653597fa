import { AstraError } from '../../domain/errors.ts';
import { validateSubmission } from '../../domain/plan-validation/validate-submission.ts';
import { fallbackPlanner, replanTermsOf } from '../../domain/replans.ts';
import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import type { Template } from '../../domain/schemas/template.ts';
import type { TemplateStore } from '../../stores/postgres/templates.ts';
import { validateParams } from '../../stores/template-params.ts';
import type { ToolCatalogue } from '../../stores/tool-catalogue.ts';

export interface CheckSubmissionDeps {
  readonly templates: Pick<TemplateStore, 'get'>;
  readonly catalogue: ToolCatalogue;
  /** Default model; unset: a goal with an objective alone cannot be planned. */
  readonly model: string | undefined;
}

/**
 * What can be said of a goal's body before it is started.
 * @throws ASTRA_BODY_INVALID, ASTRA_PLAN_INVALID, ASTRA_TEMPLATE_INVALID, ASTRA_MODEL_NOT_CONFIGURED, ASTRA_UNAVAILABLE
 */
export async function checkSubmission(
  deps: CheckSubmissionDeps,
  tenant: string,
  body: unknown,
): Promise<GoalSubmission> {
  const submission = validateSubmission(body, await deps.catalogue());
  await requirePlanSource(deps, tenant, submission);
  return submission;
}

async function requirePlanSource(deps: CheckSubmissionDeps, tenant: string, submission: GoalSubmission): Promise<void> {
  const { template: call, plan } = submission;
  if (call) {
    const template = await deps.templates.get(tenant, call.name);
    if (!template) {
      throw new AstraError(
        'ASTRA_TEMPLATE_INVALID',
        `There is no template "${call.name}". GET /v1/templates lists them.`,
        {
          faults: [{ pointer: '/template/name', message: 'is not a template of this tenant' }],
        },
      );
    }
    validateParams(template.params, call.params ?? {});
    requireFallback(submission, template);
  } else if (!plan && deps.model === undefined) {
    throw new AstraError(
      'ASTRA_MODEL_NOT_CONFIGURED',
      'A goal with an objective alone is planned by a model. Set ASTRA_MODEL_PROVIDER, ASTRA_MODEL, ASTRA_MODEL_API_KEY and, ' +
        'for an endpoint of your own, ASTRA_MODEL_BASE_URL for the API and the workers; or give a plan or a template.',
    );
  }
}

/** @throws ASTRA_TEMPLATE_INVALID */
function requireFallback(submission: GoalSubmission, template: Template): void {
  if (replanTermsOf(submission)?.planner !== fallbackPlanner || template.fallbackPlan) return;
  const message = `The template "${template.name}" has no fallbackPlan. Give it one, or name a planner of your own.`;
  throw new AstraError('ASTRA_TEMPLATE_INVALID', message, {
    faults: [{ pointer: '/onTaskFailure', message: 'the template has no plan to fall back on' }],
  });
}
