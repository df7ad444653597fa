import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AstraError } from '../../domain/errors.ts';
import { toolContext } from '../../test/support/tool-context.ts';
import { defineTool, type ToolDefinition } from './define-tool.ts';

const definition = {
  name: 'text.repeat',
  description: 'Repeats text.',
  input: z.object({
    text: z.string(),
    times: z.int().min(1).default(2),
    nested: z.object({ 'a/b': z.int() }).optional(),
  }),
  output: z.object({ text: z.string() }),
  effect: 'none',
  risk: 'low',
  run: ({ text, times }) => ({ text: text.repeat(times) }),
} satisfies ToolDefinition<{ text: string; times: number }, { text: string }>;
const tool = defineTool(definition);
const running = (run: () => unknown, output: z.ZodType = z.unknown()) =>
  defineTool({ ...definition, input: z.object({}), output, run });

describe('the manifest', () => {
  test('has JSON Schemas and defaults', () => {
    expect(tool.manifest).toEqual({
      name: 'text.repeat',
      description: 'Repeats text.',
      inputSchema: {
        type: 'object',
        properties: {
          text: { type: 'string' },
          times: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, default: 2 },
          nested: {
            type: 'object',
            properties: {
              'a/b': { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
            },
            required: ['a/b'],
          },
        },
        required: ['text'],
        additionalProperties: false,
      },
      outputSchema: {
        type: 'object',
        properties: { text: { type: 'string' } },
        required: ['text'],
        additionalProperties: false,
      },
      workerClass: 'tools',
      execution: 'activity',
      effect: 'none',
      risk: 'low',
      timeoutSeconds: 60,
      cacheSeconds: 0,
    });
  });

  test.each([
    ['a name without namespace', { name: 'repeat' }, '/name'],
    ['an inline tool with an effect', { execution: 'inline', effect: 'idempotent' }, '/effect'],
    ['kept answers of a tool with an effect', { cacheSeconds: 60, effect: 'once' }, '/cacheSeconds'],
    ['to take back what has no effect', { effect: 'none', compensate: () => undefined }, '/compensate'],
    ['no time at all', { timeoutSeconds: 0 }, '/timeoutSeconds'],
  ] as const)('%s is refused', (_, change, pointer) => {
    expect(() => defineTool({ ...definition, ...change })).toThrow(
      expect.objectContaining({
        code: 'ASTRA_PARAMETER_INVALID',
        faults: [expect.objectContaining({ pointer })],
      }) as Error,
    );
  });
});

describe('compensation', () => {
  const undone: unknown[] = [];
  const tool = defineTool({
    ...definition,
    effect: 'idempotent',
    compensate({ input, output }, { effectId }) {
      if (effectId.startsWith('broken')) throw new Error('it cannot be undone');
      undone.push({ input, output, effectId });
    },
  });
  const call = { input: { text: 'ab', times: 2 }, output: { text: 'abab' } };

  test('is announced by the manifest and given what the call was', async () => {
    expect(tool.manifest.compensable).toBe(true);
    expect(defineTool(definition)).not.toHaveProperty('compensate');
    await tool.compensate?.(call, toolContext({ effectId: 'key/compensation' }));
    expect(undone).toEqual([{ ...call, effectId: 'key/compensation' }]);
  });

  test('fails as a call does', async () => {
    await expect(tool.compensate?.(call, toolContext({ effectId: 'broken' }))).rejects.toMatchObject({
      code: 'ASTRA_TOOL_FAILED',
      message: expect.stringContaining('it cannot be undone') as string,
    });
  });
});

describe('input', () => {
  test('defaults apply', async () => {
    expect(await tool.run({ text: 'ab' }, toolContext())).toEqual({ text: 'abab' });
  });

  test('each fault has a pointer, unknown fields included', async () => {
    const input = { times: 0, nested: { 'a/b': 'x' }, extra: 1 };
    await expect(tool.run(input, toolContext())).rejects.toMatchObject({
      code: 'ASTRA_TOOL_INPUT_INVALID',
      retryable: false,
      faults: [
        { pointer: '/text' },
        { pointer: '/times' },
        { pointer: '/nested/a~1b' },
        { pointer: '/extra', message: 'unknown field' },
      ],
    });
  });
});

describe('output', () => {
  test('what the schema does not know is an error of the tool', async () => {
    const wrong = running(() => ({ text: 5 }), definition.output);
    await expect(wrong.run({}, toolContext())).rejects.toMatchObject({
      code: 'ASTRA_TOOL_OUTPUT_INVALID',
      faults: [{ pointer: '/text' }],
    });
  });

  test.each([
    ['a function', () => ({ f: () => 1 })],
    ['a date', () => new Date(0)],
    ['NaN', () => [Number.NaN]],
    ['undefined', () => undefined],
    ['a map', () => new Map()],
    [
      'a cycle',
      () => {
        const cycle: unknown[] = [];
        cycle.push(cycle);
        return cycle;
      },
    ],
  ])('%s is no JSON', async (_, run) => {
    await expect(running(run).run({}, toolContext())).rejects.toMatchObject({ code: 'ASTRA_TOOL_OUTPUT_INVALID' });
  });

  test('undefined properties are left out and strings made storable', async () => {
    const output = await running(() => ({ a: undefined, 'b\0': ['x\0y\ud800'], ['__proto__']: 1 })).run(
      {},
      toolContext(),
    );
    expect(JSON.stringify(output)).toBe('{"b\ufffd":["x\ufffdy\ufffd"],"__proto__":1}');
  });
});

describe('failures', () => {
  test('a tool’s own AstraError passes, anything else is ASTRA_TOOL_FAILED with a bounded message', async () => {
    const own = running(() => {
      throw new AstraError('ASTRA_EGRESS_DENIED', 'no');
    });
    await expect(own.run({}, toolContext())).rejects.toMatchObject({ code: 'ASTRA_EGRESS_DENIED', message: 'no' });
    const other = running(() => {
      throw new TypeError('x'.repeat(100_000));
    });
    const failure = await other.run({}, toolContext()).then(
      () => null,
      (error: unknown) => error as AstraError,
    );
    expect(failure).toMatchObject({ code: 'ASTRA_TOOL_FAILED', retryable: true });
    expect(failure?.message).toMatch(/^text\.repeat failed: xxx/);
    expect(failure?.message.length).toBeLessThan(2_100);
  });

  test.each([
    ['ASTRA_TOOL_TIMEOUT', AbortSignal.timeout(1)],
    ['ASTRA_CANCELLED', AbortSignal.abort()],
    ['ASTRA_GOAL_FINISHED', AbortSignal.abort(new AstraError('ASTRA_GOAL_FINISHED', 'over'))],
  ])('whatever a tool makes of its abort, it is %s', async (code, signal) => {
    const waiting = defineTool({
      ...definition,
      input: z.object({}),
      run: (_, context) =>
        new Promise((_resolve, reject) => {
          context.signal.addEventListener('abort', () => reject(new Error('socket closed')));
        }),
    });
    await expect(waiting.run({}, toolContext({ signal }))).rejects.toMatchObject({ code });
  });
});
