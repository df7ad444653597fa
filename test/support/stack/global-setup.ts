import type { TestProject } from 'vitest/node';
import type { Connection } from '../../../infra/local/connection.ts';
import type { Stack } from '../../../infra/local/stack.ts';
import { startTestStack } from './start-test-stack.ts';

/** What a test gets by `inject('stack')`: real servers, migrated; no API and no worker. */
export interface ProvidedStack {
  /** The environment for an API or a worker; each adds its own ASTRA_ADMIN_PORT. */
  env: Record<string, string>;
  connection: Connection;
}

declare module 'vitest' {
  interface ProvidedContext {
    stack: ProvidedStack;
  }
}

// The projects of one run share one stack. Each project loads this module anew, so that only a global can tell them.
const shared = globalThis as typeof globalThis & { astraTestStack?: { stack: Promise<Stack>; users: number } };

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.astraTestStack ??= { stack: startTestStack(), users: 0 };
  const entry = shared.astraTestStack;
  entry.users += 1;
  const stack = await entry.stack;
  project.provide('stack', { env: { ...stack.env }, connection: stack.connection });
  return async () => {
    entry.users -= 1;
    if (entry.users > 0) return;
    delete shared.astraTestStack;
    await stack.stop();
  };
}
