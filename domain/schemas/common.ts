import { z } from 'zod';
import type { Json, JsonObject } from '../json.ts';

export const jsonSchema: z.ZodType<Json> = z.json();
export const jsonObjectSchema: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/** `T` keeps a brand at compile time only; on the wire an id is a plain string. */
export const goalIdSchema = z
  .string()
  .regex(/^gol_[0-9A-Za-z]{16,40}$/, 'must look like gol_… (16 to 40 letters and digits)')
  .brand<'GoalId'>();
export type GoalId = z.infer<typeof goalIdSchema>;

/** Ids of a plan's tasks; `each.3`, with a dot, is item 3 of the map `each`. */
export const taskIdSchema = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'must begin with a letter and have at most 64 letters, digits, "_" or "-"')
  // Tasks are looked up by id in plain objects everywhere: no id may name what every object has.
  .refine((id) => !(id in Object.prototype), 'is a reserved name; choose another');

export const tenantSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a lower-case name of at most 63 characters');
export const agentIdSchema = z
  .string()
  .regex(/^[\w.-]{1,128}$/, 'must have at most 128 letters, digits, "_", "-" or "."');
export const timestampSchema = z.iso.datetime();

export const errorInfoSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  retryable: z.boolean(),
});
/** A failure as users see it: a stable code of the registry (domain/errors.ts) and what to do next. */
export type ErrorInfo = z.infer<typeof errorInfoSchema>;

export const usageSchema = z.strictObject({ usd: z.string(), tokens: z.number().int(), seconds: z.number() });
export type Usage = z.infer<typeof usageSchema>;
