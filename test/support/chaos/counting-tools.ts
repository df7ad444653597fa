import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool } from '../../../activities/tools/define-tool.ts';

/** Tells of each execution when it begins, in a file that outlives the worker. */
export interface Execution {
  readonly effectId: string;
  readonly at: string;
}

/** The file stands in the input, so that a worker needs to know nothing of the test. */
const input = z.strictObject({ file: z.string(), milliseconds: z.int() });

const counting = (name: string, effect: 'idempotent' | 'once') =>
  defineTool({
    name,
    description: 'Counts its own executions.',
    input,
    output: z.strictObject({ effectId: z.string() }),
    effect,
    risk: 'low',
    async run({ file, milliseconds }, { effectId, signal }) {
      const execution: Execution = { effectId, at: new Date().toISOString() };
      await appendFile(file, `${JSON.stringify(execution)}\n`);
      await sleep(milliseconds, undefined, { signal });
      return { effectId };
    },
  });

export const tools = [counting('test.count', 'idempotent'), counting('test.once', 'once')];
