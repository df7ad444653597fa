import { z } from '@hono/zod-openapi';
import { goalIdSchema, timestampSchema } from '../../domain/schemas/common.ts';
import { cascadeIdSchema, goalStatusSchema } from '../../domain/schemas/goal.ts';
import { templateNameSchema } from '../../domain/schemas/template.ts';
import type { GoalFilter } from '../../stores/postgres/goal-list.ts';
import { pageQuery, repeatable } from '../params.ts';

// No NUL: Postgres has no such text.
const labelPattern = /^([\w.-]{1,63})[:=]([^\0]{0,255})$/;

export const goalListQuery = z.strictObject({
  ...pageQuery,
  status: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(goalStatusSchema))
    .optional()
    .openapi({ param: { description: 'One or more states, separated by commas' } }),
  label: repeatable
    .pipe(z.array(z.string().regex(labelPattern, 'must look like name:value')))
    .optional()
    .openapi({ param: { description: '`name:value`; may be repeated, and then all must match' } }),
  template: templateNameSchema.optional(),
  parentGoalId: goalIdSchema.optional(),
  cascadeId: cascadeIdSchema.optional(),
  createdAfter: timestampSchema.optional(),
  createdBefore: timestampSchema.optional(),
});

function parseLabel(text: string): [name: string, value: string] {
  const [, name = '', value = ''] = labelPattern.exec(text) ?? [];
  return [name, value];
}

export function toGoalFilter(query: z.infer<typeof goalListQuery>): GoalFilter {
  const { status, label, template, parentGoalId, cascadeId, createdAfter, createdBefore } = query;
  const labels = label && Object.fromEntries(label.map(parseLabel));
  return { statuses: status, labels, template, parentGoalId, cascadeId, createdAfter, createdBefore };
}

/** `30s` or `30`; at most a minute, as proxies cut what stays silent for longer. */
export const resultQuery = z.strictObject({
  wait: z
    .string()
    .regex(/^\d{1,2}s?$/, 'must be seconds, such as 30s')
    .transform((text) => Number.parseInt(text, 10))
    .pipe(z.number().max(60))
    .default(0)
    .openapi({
      type: 'string',
      example: '30s' as never,
      param: { description: 'How long to wait for the end, at most 60s' },
    }),
});

export const viewQuery = z.strictObject({
  minSeq: z.coerce
    .number()
    .int()
    .min(0)
    .optional()
    .openapi({
      type: 'integer',
      param: { description: 'Wait up to 5 s for the view that has seen this event; then answer with what there is' },
    }),
});

export const eventsQuery = z.strictObject({
  limit: pageQuery.limit,
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'is not a cursor of this list')
    .optional(),
  afterSeq: z.coerce.number().int().min(0).optional().openapi({ type: 'integer' }),
  lastEventId: z
    .string()
    .max(60)
    .optional()
    .openapi({ param: { description: 'SSE: instead of the header Last-Event-ID' } }),
});
