import { z } from 'zod';
import { defineTool } from '../../../activities/tools/define-tool.ts';

/** Tools that do nothing, so that what is measured is the engine alone. */
const nothing = z.strictObject({});
const common = { input: nothing, output: nothing, risk: 'low', run: () => ({}) } as const;

export const tools = [
  defineTool({ ...common, name: 'bench.pure', description: 'Does nothing.', effect: 'none', execution: 'inline' }),
  defineTool({ ...common, name: 'bench.effect', description: 'Does nothing, as an activity.', effect: 'idempotent' }),
  defineTool({
    ...common,
    name: 'bench.once',
    description: 'Does nothing, in an activity of its own.',
    effect: 'once',
  }),
];
