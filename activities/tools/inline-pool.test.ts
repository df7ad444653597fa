import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../domain/json.ts';
import { createInlinePool, type InlinePool } from './inline-pool.ts';

let pool: InlinePool;
beforeAll(() => {
  pool = createInlinePool({
    threads: 2,
    toolModules: [fileURLToPath(new URL('../../test/support/own-tools.ts', import.meta.url))],
  });
});
afterAll(() => pool.close());

const script = (code: string, input?: JsonObject): JsonObject => ({ code, ...(input && { input }) });
const js = (code: string, input?: JsonObject) => pool.run('code.javascript', script(code, input), { sliceMs: 900 });
const endless = '() => { for (;;); }';
const numbers = (length: number): JsonObject[] => Array.from({ length }, (_, n) => ({ n }));

describe('one call', () => {
  test('answers with what the tool answers', async () => {
    expect(await pool.run('own.double', { n: 4 })).toEqual({ output: { doubled: 8 } });
  });

  test('throws what the tool throws, with code and faults', async () => {
    await expect(pool.run('own.double', { n: 'x' })).rejects.toMatchObject({
      name: 'AstraError',
      code: 'ASTRA_TOOL_INPUT_INVALID',
      faults: [{ pointer: '/n' }],
    });
  });

  test('knows whose call it is, and nothing of the environment', async () => {
    const identity = { tenant: 't', goalId: 'g', taskId: 'k', attempt: 3, effectId: 'g/k/1' };
    expect(await pool.run('own.identity', {}, { identity })).toEqual({ output: identity });
    expect(await pool.run('own.environment', {})).toEqual({ output: [] });
  });

  test.each([
    ['a script without end', 'code.javascript', script(endless)],
    ['a tool that waits', 'own.wait', { n: 60_000 }],
    ['a tool that nothing can interrupt', 'own.hang', { n: 13 }],
  ])('%s is deferred as overrun, and the thread serves on', async (_, tool, input) => {
    const begin = performance.now();
    expect(await pool.run(tool, input, { sliceMs: 100 })).toEqual({ deferred: 'overrun' });
    expect(performance.now() - begin).toBeLessThan(15_000);
    expect(await pool.run('own.double', { n: 1 })).toEqual({ output: { doubled: 2 } });
  });

  test('a tool that needs the stores is deferred', async () => {
    const input = { template: 'x', data: {}, artifact: { name: 'x.txt', mediaType: 'text/plain' } };
    expect(await pool.run('text.render', input)).toEqual({ deferred: 'needs_stores' });
  });

  test('a tool that ends its thread has failed, and the next call finds another thread', async () => {
    await expect(pool.run('own.exit', { n: 13 })).rejects.toMatchObject({ code: 'ASTRA_TOOL_FAILED' });
    expect(await pool.run('own.exit', { n: 1 })).toEqual({ output: 1 });
  });

  test('a long slice leaves the quick threads free, and its signal ends it', async () => {
    const abort = new AbortController();
    const long = [1, 2, 3].map(() =>
      pool.run('code.javascript', script(endless), { sliceMs: 60_000, signal: abort.signal }),
    );
    expect(await pool.run('own.double', { n: 5 })).toEqual({ output: { doubled: 10 } });
    abort.abort();
    for (const { status } of await Promise.allSettled(long)) expect(status).toBe('rejected');
    await expect(long[0]).rejects.toMatchObject({ code: 'ASTRA_CANCELLED' });
  });
});

describe('many calls', () => {
  test('each has its result, in order, failures too', async () => {
    const results = await pool.runMany('own.double', [...numbers(100), { n: 'x' }], { budgetMs: 20_000 });
    expect(results.slice(0, 100)).toEqual(numbers(100).map(({ n }) => ({ output: { doubled: 2 * Number(n) } })));
    expect(results[100]).toMatchObject({ error: { code: 'ASTRA_TOOL_INPUT_INVALID' } });
    expect(await pool.runMany('own.double', [])).toEqual([]);
  });

  test('a call over its slice is deferred, the others are not', async () => {
    const codes = ['() => 1', endless, '() => 3'].map((code) => script(code));
    expect(await pool.runMany('code.javascript', codes, { budgetMs: 20_000 })).toEqual([
      { output: 1 },
      { deferred: 'overrun' },
      { output: 3 },
    ]);
  });

  test.each([
    ['own.hang', { deferred: 'overrun' }],
    ['own.exit', { error: expect.objectContaining({ code: 'ASTRA_TOOL_FAILED' }) as Error }],
  ])('%s costs its own answer only', async (tool, expected) => {
    const inputs = [{ n: 1 }, { n: 2 }, { n: 13 }, { n: 4 }];
    expect(await pool.runMany(tool, inputs, { budgetMs: 20_000 })).toEqual([
      { output: 1 },
      { output: 2 },
      expected,
      { output: 4 },
    ]);
  });

  test('a batch that ruins thread after thread is given back', async () => {
    const results = await pool.runMany(
      'own.exit',
      Array.from({ length: 6 }, () => ({ n: 13 })),
    );
    expect(results.slice(3)).toEqual([
      { deferred: 'not_reached' },
      { deferred: 'not_reached' },
      { deferred: 'not_reached' },
    ]);
  });

  test('when the budget is spent the rest is given back', async () => {
    const results = await pool.runMany('own.wait', [{ n: 50 }, { n: 50 }], { sliceMs: 900, budgetMs: 10 });
    expect(results).toEqual([{ output: 'waited' }, { deferred: 'not_reached' }]);
  });
});

describe('code.javascript', () => {
  test('calls the function with the input and returns JSON', async () => {
    expect(await js('(input) => ({ sum: input.a + input.b, list: [null, true, "ü"] })', { a: 1, b: 2 })).toEqual({
      output: { sum: 3, list: [null, true, 'ü'] },
    });
    expect(await js('function (input) { return input } // comment')).toEqual({ output: null });
    expect(await js('() => undefined')).toEqual({ output: null });
  });

  test('nothing of the host is there, and no call sees another one’s', async () => {
    expect(
      await js(
        '() => ["process", "require", "fetch", "setTimeout", "console", "WebAssembly"].filter((n) => n in globalThis)',
      ),
    ).toEqual({ output: [] });
    await js('() => { globalThis.left = 1; Array.prototype.left = 1; JSON.parse = null; return 0 }');
    expect(await js('() => [typeof globalThis.left, [].left === undefined]')).toEqual({ output: ['undefined', true] });
    await expect(
      js('() => Function("return this")().constructor.constructor("return process")()'),
    ).rejects.toMatchObject({ code: 'ASTRA_TOOL_FAILED' });
  });

  test.each([
    ['(', 'ASTRA_TOOL_INPUT_INVALID', 'SyntaxError'],
    ['); (() => 1', 'ASTRA_TOOL_INPUT_INVALID', 'SyntaxError'],
    ['42', 'ASTRA_TOOL_INPUT_INVALID', 'must be a function'],
    ['async () => 1', 'ASTRA_TOOL_INPUT_INVALID', 'not async'],
    ['() => { throw new TypeError("no luck") }', 'ASTRA_TOOL_FAILED', 'TypeError: no luck'],
    ['() => { throw 5 }', 'ASTRA_TOOL_FAILED', '5'],
    ['() => { throw { get message() { throw 1 } } }', 'ASTRA_TOOL_FAILED', 'threw'],
    ['() => () => 1', 'ASTRA_TOOL_OUTPUT_INVALID', 'JSON'],
    ['() => { JSON.stringify = () => "{"; return 1 }', 'ASTRA_TOOL_OUTPUT_INVALID', 'JSON'],
    ['() => (function f() { return f() + 1 })()', 'ASTRA_TOOL_FAILED', 'stack overflow'],
    ['() => new ArrayBuffer(100_000_000).byteLength', 'ASTRA_SANDBOX_LIMIT', 'memory'],
    ['() => new Array(100_000_000).fill(0)', 'ASTRA_SANDBOX_LIMIT', 'memory'],
  ])('%s fails with %s', async (code, expected, message) => {
    await expect(js(code)).rejects.toMatchObject({
      code: expected,
      message: expect.stringContaining(message) as string,
    });
    expect(await js('() => "fine"')).toEqual({ output: 'fine' });
  });

  test('an overrun cannot be caught by the script', async () => {
    expect(await pool.run('code.javascript', script('() => { for (;;) try { for (;;); } catch {} }'))).toEqual({
      deferred: 'overrun',
    });
  });
});
