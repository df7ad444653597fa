import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadPlannerModules } from '../../activities/planner/load-planner-modules.ts';
import type { ReplanContext } from '../../activities/planner/define-planner.ts';
import { goalSubmissionSchema } from '../../domain/schemas/goal.ts';
import { plannedChangeSchema } from '../../domain/schemas/plan-change.ts';

const root = join(import.meta.dirname, '../..');
const page = await readFile(join(root, 'docs/guides/replan.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, text]) => text!);

test('the planner in docs/guides/replan.md mends the goal in it', async () => {
  const source = blocks('ts').find((text) => text.includes('definePlanner'))!;
  const directory = await mkdtemp(join(tmpdir(), 'astra-guide-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'mirrors.ts');
  await writeFile(file, source.replace("'../activities", `'${root}/activities`));
  const [mirrors] = await loadPlannerModules([file]);

  const { plan, planner, objective } = goalSubmissionSchema.parse(JSON.parse(blocks('json')[0]!));
  expect(mirrors?.name).toBe(planner);
  const context = {
    plan,
    objective,
    failure: { taskId: 'prices', code: 'ASTRA_TOOL_FAILED', message: '' },
    attempt: 2,
  };
  // What the example reads of it.
  const change = plannedChangeSchema.parse(await mirrors?.replan(context as ReplanContext));
  expect(change.replace).toMatchObject([{ id: 'prices', input: { url: 'https://mirror-2.example/prices' } }]);
});
