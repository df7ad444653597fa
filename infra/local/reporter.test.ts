import { expect, test } from 'vitest';
import { createReporter } from './reporter.ts';

function collect(fields: { isTTY: boolean; columns?: number }) {
  let output = '';
  // The reporter asks no more of a stream than this.
  const stream = { ...fields, write: (text: string) => (output += text) } as unknown as NodeJS.WriteStream;
  return { stream, output: () => output };
}

test('a step that an interruption ended is not shown as failed, one that failed is', async () => {
  const { stream, output } = collect({ isTTY: false });
  const interruption = new AbortController();
  const reporter = createReporter(stream, interruption.signal);
  const failing = () => reporter.step('redis', () => Promise.reject(new Error('ended')));
  await expect(failing()).rejects.toThrow('ended');
  interruption.abort();
  await expect(failing()).rejects.toThrow('ended');
  expect(output()).toBe('  ✗ redis\n  – redis        interrupted\n');
});

test.each([0, undefined])('a terminal that says its width is %s sees what is being waited for', async (columns) => {
  const { stream, output } = collect({ isTTY: true, ...(columns !== undefined && { columns }) });
  const { promise: seen, resolve } = Promise.withResolvers<undefined>();
  const write = stream.write.bind(stream);
  stream.write = (text: unknown) => {
    write(String(text));
    if (String(text).includes('postgres 0 s')) resolve(undefined);
    return true;
  };
  await createReporter(stream).step('postgres', () => seen);
  expect(output()).toContain('… postgres 0 s');
});
