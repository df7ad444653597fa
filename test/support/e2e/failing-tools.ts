import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool } from '../../../activities/tools/define-tool.ts';
import { AstraError } from '../../../domain/errors.ts';

const input = z.strictObject({
  /** Fails at so many attempts. */
  failures: z.int(),
  code: z.enum(['ASTRA_TOOL_FAILED', 'ASTRA_TOOL_INPUT_INVALID']).optional(),
  /** How long an attempt takes that does not fail. */
  ms: z.int().optional(),
  /** A file that each attempt adds a line to: its effect id. */
  log: z.string().optional(),
});
const output = z.strictObject({ attempt: z.int() });

const flaky = (name: string, effect: 'idempotent' | 'once') =>
  defineTool({
    name,
    description: 'For tests.',
    input,
    output,
    effect,
    risk: 'low',
    timeoutSeconds: 30,
    async run({ failures, code = 'ASTRA_TOOL_FAILED', ms = 0, log }, { attempt, effectId, signal }) {
      if (log !== undefined) await appendFile(log, `${effectId}\n`);
      if (attempt <= failures) throw new AstraError(code, `not at attempt ${attempt}`);
      await sleep(ms, undefined, { signal });
      return { attempt };
    },
  });

export const tools = [flaky('test.flaky', 'idempotent'), flaky('test.flaky_once', 'once')];
