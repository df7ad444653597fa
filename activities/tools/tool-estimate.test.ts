import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineTool } from './define-tool.ts';
import { createModelGenerate } from './model-generate.ts';

const pay = defineTool({
  name: 'test.pay',
  description: 'Pays.',
  input: z.strictObject({ usd: z.string().optional() }),
  output: z.null(),
  effect: 'once',
  risk: 'low',
  estimate: { usd: '1.00', seconds: 5 },
  estimateCall: ({ usd }) => (usd === undefined ? {} : { usd }),
  run: () => null,
});

describe('the estimate of a call', () => {
  test('is the manifest’s, where its input says nothing else', () => {
    expect(pay.manifest.estimate).toEqual({ usd: '1.00', seconds: 5 });
    expect(pay.estimate({})).toEqual({ usd: '1.00', seconds: 5 });
    expect(pay.estimate({ usd: '7' })).toEqual({ usd: '7', seconds: 5 });
    expect(pay.estimate({ usd: 7 }), 'a call that will be refused').toEqual({ usd: '1.00', seconds: 5 });
  });

  test('of a model is what is asked and at most answered', () => {
    const generate = createModelGenerate(null);
    expect(generate.estimate({ prompt: 'x'.repeat(299), maxTokens: 50 })).toEqual({ tokens: 101 + 50 });
    expect(generate.estimate({ prompt: 'x' })).toEqual({ tokens: 1 + 4_096 });
  });

  test('that is no amount is refused when the tool is defined', () => {
    const define = () =>
      defineTool({ ...definition, name: 'test.odd', estimate: { usd: 'a lot' }, input: z.strictObject({}) });
    expect(define).toThrow(expect.objectContaining({ code: 'ASTRA_PARAMETER_INVALID' }));
  });
});

const definition = {
  description: 'Odd.',
  output: z.null(),
  effect: 'none',
  risk: 'low',
  run: () => null,
} as const;
