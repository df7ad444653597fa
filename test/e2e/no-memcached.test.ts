import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { binaryCatalog } from '../../infra/local/acquire/binary-catalog.ts';
import { resolveBinaries, type Binaries } from '../../infra/local/acquire/resolve-binaries.ts';
import { silentReporter } from '../../infra/local/reporter.ts';
import { binDirectory } from '../../infra/local/stack.ts';
import { createAstra } from '../../sdk/index.ts';
import { startTestStack } from '../support/stack/start-test-stack.ts';

/** Every program of the stack by its environment variable, so that none has to be looked for. */
function named({ memcached: _, ...binaries }: Binaries): Record<string, string> {
  const pairs = Object.entries(binaries).flatMap(([name, binary]) => {
    // The record's names are those of the catalogue.
    const { variable } = binaryCatalog[name as keyof typeof binaries];
    return binary === null ? [] : [[variable, binary.path] as const];
  });
  return Object.fromEntries(pairs);
}

test('without Memcached the stack starts, and Redis keeps the answers of tools', async () => {
  const empty = await mkdtemp(join(tmpdir(), 'astra-no-memcached-'));
  onTestFinished(() => rm(empty, { recursive: true, force: true }));
  const binaries = await resolveBinaries({
    binDir: binDirectory(process.env),
    env: process.env,
    reporter: silentReporter,
  });
  // Enough to start processes with, and no server.
  for (const tool of ['sh', 'dirname', 'setpriv', 'id']) await symlink(join('/usr/bin', tool), join(empty, tool));
  const env = { HOME: empty, PATH: empty, ASTRA_CACHE_DIR: empty, ASTRA_DOWNLOADS: 'off', ...named(binaries) };
  const stack = await startTestStack({ processes: 'all', env });
  onTestFinished(() => stack.stop());
  expect(stack.connection.memcachedServers).toBe('');
  expect(stack.connection.processes.memcached).toBeUndefined();

  const astra = createAstra({ apiUrl: stack.connection.apiUrl, token: stack.connection.token });
  const { id } = await astra.goals.submit({
    objective: 'read an artifact twice',
    plan: {
      tasks: [
        {
          id: 'write',
          kind: 'tool',
          tool: 'artifact.write',
          input: { name: 'a.txt', mediaType: 'text/plain', text: 'kept' },
        },
        { id: 'one', kind: 'tool', tool: 'artifact.read', input: { id: '{{ tasks.write.output.artifact.id }}' } },
        {
          id: 'two',
          kind: 'tool',
          tool: 'artifact.read',
          after: ['one'],
          input: { id: '{{ tasks.write.output.artifact.id }}' },
        },
      ],
      output: '{{ tasks.two.output.text }}',
    },
  });
  expect(await astra.goals.result(id)).toMatchObject({ status: 'completed', output: 'kept' });
});
