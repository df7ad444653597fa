import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool, type ToolDefinition } from '../../activities/tools/define-tool.ts';

const pure = { output: z.unknown(), effect: 'none', risk: 'low', execution: 'inline' } as const;
const inline = (name: string, run: ToolDefinition<{ n?: number | undefined }, unknown>['run']) =>
  defineTool({ ...pure, name, description: 'For tests.', input: z.strictObject({ n: z.int().optional() }), run });

/** A module of a user's own tools, well-behaved and other. */
export const tools = [
  inline('own.double', ({ n = 0 }) => ({ doubled: 2 * n })),
  inline('own.identity', (_, { tenant, goalId, taskId, attempt, effectId }) => ({
    tenant,
    goalId,
    taskId,
    attempt,
    effectId,
  })),
  inline('own.wait', async ({ n = 0 }) => {
    await delay(n);
    return 'waited';
  }),
  /** For ever, where nothing can interrupt it, when n is 13. */
  inline('own.hang', ({ n }) => {
    while (n === 13);
    return n ?? null;
  }),
  /** Ends its thread when n is 13. */
  inline('own.exit', ({ n }) => {
    if (n === 13) process.exit(1);
    return n ?? null;
  }),
  inline('own.environment', () => Object.keys(process.env)),
];
