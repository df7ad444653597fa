import { z } from 'zod';

export const budgetUnits = ['usd', 'tokens', 'tasks', 'seconds'] as const;
/** Money, model tokens, tool calls (each task and each item of a map once), and the time that their attempts take. */
export type BudgetUnit = (typeof budgetUnits)[number];

const usdSchema = z.string().regex(/^\d{1,12}(\.\d{1,9})?$/, 'must be an amount of money such as "1.50"');

export const budgetAmountsSchema = z.strictObject({
  usd: usdSchema.optional(),
  tokens: z.int().min(0).optional(),
  tasks: z.int().min(0).optional(),
  seconds: z.number().min(0).max(1e12).optional(),
});
/** Amounts by unit; a unit that is left out has no limit, or is not counted. */
export type BudgetAmounts = z.infer<typeof budgetAmountsSchema>;

/** A goal's own budget. */
export const goalBudgetSchema = budgetAmountsSchema.refine(
  (amounts) => budgetUnits.some((unit) => amounts[unit] !== undefined),
  `give at least one of ${budgetUnits.join(', ')}`,
);

/** The body of `PUT /v1/budgets/{scope}`. */
export const budgetDefinitionSchema = z.strictObject({ limit: budgetAmountsSchema });

export const budgetScopeSchema = z
  .string()
  .regex(
    /^(tenant|agent:[\w.-]{1,128}|goal:gol_[0-9A-Za-z]{16,40})$/,
    'must be `tenant`, `agent:<id>` or `goal:<goal id>`',
  );

/** `GET /v1/budgets/{scope}`: the same units in all three. */
export const budgetSchema = z.strictObject({
  scope: z.string(),
  limit: budgetAmountsSchema,
  /** What calls under way may cost. */
  reserved: budgetAmountsSchema,
  spent: budgetAmountsSchema,
});
export type Budget = z.infer<typeof budgetSchema>;
