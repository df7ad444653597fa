import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

/** Test projects in the order in which `npm test` runs them: the cheap ones first. Of the benches only short runs are among them. */
const stackSetup = 'test/support/stack/global-setup.ts';
const rooms = 'domain,platform,stores,activities,workflows,worker,api,sdk,cli,infra,examples';

interface ProjectOptions {
  readonly include: readonly string[];
  readonly timeoutSeconds: number;
  /** Files at once. Those that share a stack, or that stop parts of it, run one at a time. */
  readonly maxWorkers: number;
  readonly withStack?: true;
}

const project = (name: string, options: ProjectOptions): TestProjectInlineConfiguration => ({
  test: {
    name,
    include: [...options.include],
    maxWorkers: options.maxWorkers,
    testTimeout: options.timeoutSeconds * 1000,
    hookTimeout: options.timeoutSeconds * 1000,
    globalSetup: options.withStack ? [stackSetup] : [],
  },
});

export default defineConfig({
  test: {
    // A test left `.only` in hides all the others.
    allowOnly: false,
    projects: [
      project('unit', {
        include: [`{${rooms}}/**/*.test.ts`, 'test/unit/**/*.test.ts', 'test/bench/guard/losses.test.ts'],
        timeoutSeconds: 30,
        maxWorkers: 2,
      }),
      project('workflow', {
        include: ['test/workflow/**/*.test.ts'],
        timeoutSeconds: 120,
        maxWorkers: 1,
        withStack: true,
      }),
      project('replay', { include: ['test/replay/**/*.test.ts'], timeoutSeconds: 120, maxWorkers: 1 }),
      project('integration', {
        include: ['test/integration/**/*.test.ts'],
        timeoutSeconds: 120,
        maxWorkers: 1,
        withStack: true,
      }),
      project('e2e', { include: ['test/e2e/**/*.test.ts'], timeoutSeconds: 300, maxWorkers: 1, withStack: true }),
      project('bench', { include: ['test/bench/guard/guard.test.ts'], timeoutSeconds: 300, maxWorkers: 1 }),
      project('chaos', { include: ['test/chaos/**/*.test.ts'], timeoutSeconds: 900, maxWorkers: 1, withStack: true }),
    ],
  },
});
