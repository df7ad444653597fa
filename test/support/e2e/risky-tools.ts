import { z } from 'zod';
import { defineTool } from '../../../activities/tools/define-tool.ts';

const input = z.strictObject({ to: z.string().min(3), text: z.string().optional() });
const output = z.strictObject({ to: z.string(), text: z.string() });
const send = ({ to, text = '' }: z.infer<typeof input>): z.infer<typeof output> => ({ to, text });
const common = { description: 'For tests.', input, output, run: send } as const;

/** Tools that ask people first, and one that does not. */
export const tools = [
  defineTool({ ...common, name: 'mail.send', effect: 'once', risk: 'high' }),
  defineTool({
    ...common,
    name: 'mail.post',
    effect: 'idempotent',
    risk: 'high',
    compensate({ input, output }) {
      if (input.to !== output.to) throw new Error(`It went to ${output.to}.`);
    },
  }),
  defineTool({ ...common, name: 'mail.draft', effect: 'idempotent', risk: 'low' }),
  defineTool({ ...common, name: 'mail.format', effect: 'none', risk: 'high', execution: 'inline' }),
];
