import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool } from '../../../activities/tools/define-tool.ts';

/** What was done, or taken back: a line in a file that outlives the worker. */
export interface Deed {
  readonly what: 'done' | 'undone';
  readonly effectId: string;
  readonly at: string;
  /** Of an undoing: what it was given. */
  readonly input?: unknown;
  readonly output?: unknown;
}

/** The file stands in the input, so that a worker needs to know nothing of the test. */
const input = z.strictObject({
  file: z.string(),
  item: z.unknown().optional(),
  doMs: z.int().optional(),
  undoMs: z.int().optional(),
  undoFails: z.boolean().optional(),
});

const write = (file: string, deed: Omit<Deed, 'at'>): Promise<void> =>
  appendFile(file, `${JSON.stringify({ ...deed, at: new Date().toISOString() })}\n`);

export const tools = [
  defineTool({
    name: 'test.undoable',
    description: 'Writes what it does, and what it takes back.',
    input,
    output: z.strictObject({ receipt: z.string() }),
    effect: 'idempotent',
    risk: 'low',
    async run({ file, doMs }, { effectId, signal }) {
      await sleep(doMs ?? 0, undefined, { signal });
      await write(file, { what: 'done', effectId });
      return { receipt: `receipt of ${effectId}` };
    },
    async compensate(call, { effectId, signal }) {
      await write(call.input.file, { what: 'undone', effectId, ...call });
      await sleep(call.input.undoMs ?? 0, undefined, { signal });
      if (call.input.undoFails) throw new Error('it cannot be undone');
    },
  }),
];
