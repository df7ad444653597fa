import { expect, inject, test } from 'vitest';
import { createSandbox } from '../../activities/sandbox/create-sandbox.ts';
import type { ToolContext } from '../../activities/tools/define-tool.ts';
import { createShellRun } from '../../activities/tools/shell-run.ts';
import type { JsonObject } from '../../domain/json.ts';
import { loadConfig } from '../../platform/config.ts';
import { toolContext } from '../support/tool-context.ts';

const mebibyte = 1024 * 1024;
const sandbox = createSandbox({
  bwrapPath: loadConfig(inject('stack').env).ASTRA_BWRAP_BIN,
  roots: [],
  limits: { cpuSeconds: 1, memoryBytes: 128 * mebibyte, processes: 24, fileBytes: mebibyte, tmpBytes: 4 * mebibyte },
});
const tool = createShellRun({ sandbox, networkAllowed: true });
const run = (command: string, input: JsonObject = {}, context: Partial<ToolContext> = {}) =>
  tool.run({ command, ...input }, toolContext(context));

test('a command’s output is streamed to the live lane and returned', async () => {
  const chunks: string[] = [];
  const output = await run(
    'cat; echo warning >&2',
    { stdin: 'in' },
    { progress: ({ stream, text }) => chunks.push(`${stream}:${text}`) },
  );
  expect(output).toEqual({
    exitCode: 0,
    stdout: 'in',
    stderr: 'warning\n',
    durationMs: expect.any(Number) as number,
    truncated: false,
  });
  expect(chunks.sort()).toEqual(['stderr:warning\n', 'stdout:in']);
});

test('a non-zero exit fails with the end of stderr, unless it is allowed', async () => {
  await expect(run('echo "the reason" >&2; exit 3')).rejects.toMatchObject({
    code: 'ASTRA_TOOL_FAILED',
    message: expect.stringMatching(/exit code 3.*\nthe reason$/s) as string,
  });
  expect(await run('exit 3', { allowNonZeroExit: true })).toMatchObject({ exitCode: 3 });
});

test.each([
  ['cpu', 'while :; do :; done'],
  ['memory', 'head -c 400m /dev/zero | tail -c 400m > /dev/null'],
  ['processes', 'b() { b | b; }; b'],
  ['file size', 'head -c 3000000 /dev/zero > /tmp/big'],
  ['tmp', 'for i in 1 2 3 4 5; do head -c 1000000 /dev/zero > /tmp/$i || exit 1; done'],
])('running into the limit on %s is ASTRA_SANDBOX_LIMIT and names it', async (limit, command) => {
  await expect(run(command)).rejects.toMatchObject({
    code: 'ASTRA_SANDBOX_LIMIT',
    retryable: false,
    message: expect.stringContaining(`limit: ${limit}`) as string,
  });
});

test('an allowed exit code is not taken for a limit because of what the command says', async () => {
  const output = await run('echo "No space left on device" >&2; exit 1', { allowNonZeroExit: true });
  expect(output).toMatchObject({ exitCode: 1 });
});

test('the network is there when input and operator agree', async () => {
  expect(
    await run('tail -n +3 /proc/net/dev | wc -l; test -e /etc/resolv.conf && echo resolv', { network: true }),
  ).toMatchObject({
    stdout: expect.stringContaining('resolv') as string,
  });
});

test.each([
  [{ command: '' }, '/command'],
  [{ command: 'x'.repeat(130_000) }, '/command'],
  [{ command: 'a\0b' }, '/command'],
  [{ command: 'true', mounts: [{ path: '/tmp' }] }, '/mounts/0/mode'],
  [{ command: 'true', env: {} }, '/env'],
])('input number %# is refused', async (input, pointer) => {
  await expect(tool.run(input as JsonObject, toolContext())).rejects.toMatchObject({
    code: 'ASTRA_TOOL_INPUT_INVALID',
    faults: [{ pointer }],
  });
});
