import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Stack, type StackOptions, startStack } from '../../../infra/local/stack.ts';

/** A stack of a test's own, on free ports and in a directory that its `stop` removes; the binaries are the project's. */
export async function startTestStack(options: Partial<StackOptions> = {}): Promise<Stack> {
  const root = await mkdtemp(join(tmpdir(), 'astra-test-'));
  const discard = (): Promise<void> => rm(root, { recursive: true, force: true });
  try {
    const stack = await startStack({
      root,
      processes: 'servers',
      ports: 'any',
      quiet: true,
      env: process.env,
      ...options,
    });
    return { ...stack, stop: () => stack.stop().then(discard) };
  } catch (error) {
    await discard();
    throw error;
  }
}
