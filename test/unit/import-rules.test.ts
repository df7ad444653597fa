import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ICruiseResult } from 'dependency-cruiser';

const root = join(import.meta.dirname, '../..');
const rooms = [
  'domain',
  'platform',
  'stores',
  'activities',
  'workflows',
  'worker',
  'api',
  'sdk',
  'cli',
  'infra',
  'test',
];

/** Exits with the number of violations, so a failing exit code is an answer here. */
const cruise = (cwd: string, paths: readonly string[]): Promise<ICruiseResult> =>
  new Promise((resolve, reject) => {
    const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const args = [bin, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...paths];
    execFile(process.execPath, args, { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr, { cause: error }));
      else resolve(JSON.parse(stdout) as ICruiseResult);
    });
  });

/** Rule, the file that breaks it, and what it imports. Targets that are files are planted too. */
const violations: readonly (readonly [rule: string, from: string, to: string, typeOnly?: 'type'])[] = [
  ['no-cycles', 'domain/a-cycle.ts', 'domain/b-cycle.ts'],
  ['layer-domain', 'domain/a.ts', 'platform/logger.ts'],
  ['layer-platform', 'platform/a.ts', 'stores/pool.ts'],
  ['layer-stores', 'stores/a.ts', 'activities/index.ts'],
  ['layer-activities', 'activities/a.ts', 'workflows/contract.ts', 'type'],
  ['layer-workflows', 'workflows/a.ts', 'stores/pool.ts', 'type'],
  ['layer-workflows', 'workflows/b.ts', 'activities/index.ts', 'type'],
  ['layer-workflows-types-only', 'workflows/c.ts', 'activities/contract.ts'],
  ['layer-api', 'api/a.ts', 'activities/index.ts', 'type'],
  ['layer-api', 'api/b.ts', 'workflows/goal-workflow.ts', 'type'],
  ['layer-worker', 'worker/a.ts', 'api/app.ts'],
  ['layer-worker', 'worker/b.ts', 'workflows/goal-workflow.ts'],
  ['layer-sdk', 'sdk/a.ts', 'api/app.ts', 'type'],
  ['layer-sdk-types-only', 'sdk/b.ts', 'domain/errors.ts'],
  ['layer-cli', 'cli/a.ts', 'domain/errors.ts', 'type'],
  ['layer-web', 'web/a.ts', 'api/app.ts', 'type'],
  ['no-zod-in-the-sandbox', 'workflows/d.ts', 'domain/schemas/plan.ts'],
  ['pure-rooms-without-node', 'domain/c.ts', 'node:fs'],
  ['pure-rooms-without-node', 'workflows/e.ts', 'node:crypto'],
  ['pure-rooms-without-node', 'sdk/c.ts', 'node:buffer'],
  ['workflow-packages', 'workflows/f.ts', '@temporalio/client'],
  ['domain-packages', 'domain/d.ts', 'pino'],
  ['zod-only-in-schemas', 'domain/e.ts', 'zod'],
  ['sdk-without-dependencies', 'sdk/d.ts', 'zod', 'type'],
  ['rooms-stand-alone', 'platform/b.ts', 'infra/local/main.ts'],
  ['only-tests-import-tests', 'api/c.ts', 'test/support/stack.ts'],
  ['only-tests-import-tests', 'api/d.ts', 'domain/goal-view.test.ts'],
  ['only-declared-packages', 'platform/c.ts', 'semver'],
  ['no-development-packages-at-run-time', 'platform/d.ts', 'fast-check'],
  ['imports-resolve', 'platform/e.ts', 'no-such-package'],
];

/** What the rules must let through, or they would be of no use. */
const allowed: typeof violations = [
  ['', 'domain/schemas/x.ts', 'zod'],
  ['', 'stores/x.ts', 'domain/errors.ts'],
  ['', 'activities/x.ts', 'stores/pool.ts'],
  ['', 'workflows/x.ts', 'activities/contract.ts', 'type'],
  ['', 'workflows/y.ts', 'domain/schemas/plan.ts', 'type'],
  ['', 'workflows/z.ts', '@temporalio/workflow'],
  ['', 'api/x.ts', 'workflows/contract.ts'],
  ['', 'sdk/x.ts', 'domain/errors.ts', 'type'],
  ['', 'cli/x.ts', 'sdk/index.ts'],
  ['', 'domain/x.test.ts', 'test/support/stack.ts'],
];

describe('the import rules', () => {
  let tree: string;
  let found: Map<string, Set<string>>;

  beforeAll(async () => {
    tree = await mkdtemp(join(tmpdir(), 'astra-import-rules-'));
    await Promise.all(
      ['package.json', 'tsconfig.json', '.dependency-cruiser.cjs'].map((file) =>
        cp(join(root, file), join(tree, file)),
      ),
    );
    await symlink(join(root, 'node_modules'), join(tree, 'node_modules'));
    const plant = async (file: string, text: string) => {
      await mkdir(join(tree, dirname(file)), { recursive: true });
      await writeFile(join(tree, file), text);
    };
    const cases = [...violations, ...allowed];
    const isFile = (target: string) => target.endsWith('.ts');
    for (const [, , to] of cases.filter(([, , target]) => isFile(target))) await plant(to, 'export const value = 1;\n');
    for (const [, from, to, typeOnly] of cases) {
      const path = isFile(to) ? `${'../'.repeat(from.split('/').length - 1)}${to}` : to;
      await plant(
        from,
        `import ${typeOnly ?? ''} * as target from '${path}';\nexport const value: unknown = target;\n`,
      );
    }
    await plant('domain/b-cycle.ts', "export { value } from './a-cycle.ts';\n");

    const { summary } = await cruise(tree, ['.']);
    found = new Map();
    for (const { rule, from } of summary.violations) {
      const rules = found.get(from) ?? new Set();
      found.set(from, rules.add(rule.name));
    }
  }, 60_000);
  afterAll(() => rm(tree, { recursive: true, force: true }));

  test.each(violations.map(([rule, from, to]) => [rule, from, to] as const))(
    '%s refuses that %s imports %s',
    (rule, from) => {
      expect([...(found.get(from) ?? [])]).toContain(rule);
    },
  );

  test.each(allowed.map(([, from, to]) => [from, to] as const))('let %s import %s', (from) => {
    expect([...(found.get(from) ?? [])]).toEqual([]);
  });

  test('have a planted violation each', () => {
    // A CommonJS configuration; only the names of its rules are read here.
    const { forbidden } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as {
      forbidden: { name: string }[];
    };
    expect(new Set(violations.map(([rule]) => rule))).toEqual(new Set(forbidden.map(({ name }) => name)));
  });

  test('are kept by the tree, and its workflow bundle does not reach zod by any way', async () => {
    const { summary, modules } = await cruise(root, rooms);
    expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);

    const loads = new Map(
      modules.map(({ source, dependencies }) => [
        source,
        dependencies
          .filter(({ dependencyTypes }) => !dependencyTypes.includes('type-only'))
          .map(({ resolved }) => resolved),
      ]),
    );
    const reached = new Set(['workflows/index.ts']);
    for (const source of reached) for (const next of loads.get(source) ?? []) reached.add(next);
    expect(reached).toContain('workflows/goal-workflow.ts');
    expect([...reached].filter((source) => source.startsWith('node_modules/zod/'))).toEqual([]);
  });
});
