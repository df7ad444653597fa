import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { AstraError } from '../../../domain/errors.ts';
import { defineTool } from '../../../activities/tools/define-tool.ts';

/** What it costs is what it is told to: a stand-in for a paid service. */
export const tools = [
  defineTool({
    name: 'test.spend',
    description: 'Reports that it has cost so much.',
    input: z.strictObject({
      usd: z.string(),
      /** What it is taken to cost, when that is another amount. */
      estimate: z.string().optional(),
      ms: z.int().optional(),
      /** Fails at the first so many attempts. */
      failures: z.int().optional(),
    }),
    output: z.strictObject({ spent: z.string() }),
    effect: 'idempotent',
    risk: 'low',
    estimateCall: ({ usd, estimate = usd }) => ({ usd: estimate, seconds: 5 }),
    async run({ usd, ms = 0, failures = 0 }, { attempt, reportUsage, signal }) {
      reportUsage({ usd, tokens: 10 });
      await sleep(ms, undefined, { signal });
      if (attempt <= failures) throw new AstraError('ASTRA_TOOL_FAILED', 'not this time');
      return { spent: usd };
    },
  }),
];
