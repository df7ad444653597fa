import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createRepository, type Repository } from '../../examples/test-support/repository.ts';
import type { Template } from '../../domain/schemas/template.ts';
import type { Artifact } from '../../sdk/index.ts';
import { startAstra, type RunningAstra } from '../support/start-astra.ts';

interface ReportOutput {
  readonly report: Artifact;
  readonly chart: Artifact;
  readonly totals: { readonly files: number; readonly lines: number; readonly bytes: number; readonly source: string };
}

const examples = join(import.meta.dirname, '../../examples');
const withinSeconds = (seconds: number) => ({ timeoutMs: seconds * 1_000 });
let astra: RunningAstra;

beforeAll(async () => {
  astra = await startAstra(inject('stack'), { ASTRA_SHELL_ROOTS: tmpdir() });
  for (const name of ['repo-report', 'approved-greeting']) {
    // A test of its own holds the file to the schema.
    const template = JSON.parse(await readFile(join(examples, name, 'template.json'), 'utf8')) as Template;
    await astra.client.templates.put(template);
  }
});
afterAll(() => astra[Symbol.asyncDispose]());

const textOf = async ({ id }: Artifact): Promise<string> => (await astra.client.artifacts.download(id)).text();

async function reportOn({ directory }: Repository): Promise<ReportOutput> {
  const goal = await astra.client.templates.run('repo-report', { directory });
  const result = await astra.client.goals.result(goal.id, withinSeconds(240));
  expect(result).toMatchObject({ status: 'completed' });
  if (result.status !== 'completed') throw new Error('not completed');
  return result.output as unknown as ReportOutput;
}

describe('the goal repo-report', () => {
  test('completes with the figures of git ls-files and wc, a report and a chart', async () => {
    using repository = createRepository({ git: true });
    repository.write({
      'src/a file.ts': 'one\n// TODO: two\n',
      'it\'s "odd"\n.py': 'x\n'.repeat(7),
      '-rf.md': '# Title\nno line feed',
      'image.png': Buffer.from([0x89, 0x50, 0, 10]),
    });
    repository.commit('first');
    const { report, chart, totals } = await reportOn(repository);
    const allFiles = 'git ls-files -z | xargs -0 cat --';
    expect(totals).toMatchObject({
      source: 'git',
      files: repository.figure("git ls-files -z | tr -cd '\\0' | wc -c"),
      lines: repository.figure(`${allFiles} | wc -l`),
      bytes: repository.figure(`${allFiles} | wc -c`),
    });
    expect(report).toMatchObject({ name: 'report.md', mediaType: 'text/markdown' });
    const markdown = await textOf(report);
    expect(markdown).toContain(`\`${repository.directory}\`: **4 files**, as \`git ls-files\` names them`);
    expect(markdown).toContain('| `src/a file.ts:2` | `// TODO: two` |');
    expect(markdown).toContain('Commits looked at: 1');
    expect(chart).toMatchObject({ name: 'chart.svg', mediaType: 'image/svg+xml' });
    expect(await textOf(chart)).toMatch(/^<svg .*Python.*<\/svg>\n$/s);
  });

  test.each([true, false])('completes for an empty directory (git: %s)', async (git) => {
    using repository = createRepository({ git });
    const { report, totals } = await reportOn(repository);
    expect(totals).toMatchObject({ files: 0, lines: 0, bytes: 0, source: git ? 'git' : 'find' });
    expect(await textOf(report)).toContain('There are no text files.');
  });

  test('completes for 20,000 files', async () => {
    using repository = createRepository({ git: true });
    const name = (n: number): string => `${'directory-with-a-long-name/'.repeat(2)}${n % 100}/file ${n}.js`;
    repository.write(Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [name(n), 'x\n'.repeat(n % 3)])));
    repository.git('add', '--all');
    expect((await reportOn(repository)).totals).toMatchObject({
      files: 20_000,
      lines: repository.figure('git ls-files -z | xargs -0 cat -- | wc -l'),
    });
  });

  test('fails with what to do about it for a directory outside the roots', async () => {
    const goal = await astra.client.templates.run('repo-report', { directory: '/etc' });
    const result = await astra.client.goals.result(goal.id, withinSeconds(60));
    expect(result.status).toBe('failed');
    expect((await astra.client.goals.task(goal.id, 'list')).error).toMatchObject({
      code: 'ASTRA_TOOL_INPUT_INVALID',
      message: expect.stringContaining('ASTRA_SHELL_ROOTS') as string,
    });
  });
});

describe('the goal approved-greeting', () => {
  const ask = async (name: string): Promise<{ goalId: string; approvalId: string }> => {
    const goal = await astra.client.templates.run('approved-greeting', { name });
    await expect
      .poll(async () => (await astra.client.approvals.list({ goalId: goal.id, status: 'pending' })).items.length, {
        timeout: 30_000,
      })
      .toBe(1);
    const { items } = await astra.client.approvals.list({ goalId: goal.id });
    expect(items[0]).toMatchObject({ input: { greeting: `Hello, ${name}!` } });
    return { goalId: goal.id, approvalId: items[0]!.id };
  };

  test('writes the words that the approval was edited to', async () => {
    const { goalId, approvalId } = await ask('Ada');
    await astra.client.approvals.decide(approvalId, {
      decision: 'approved',
      editedInput: { greeting: 'Good morning, {{ Ada }}!' },
    });
    const result = await astra.client.goals.result(goalId, withinSeconds(60));
    expect(result).toMatchObject({ status: 'completed', output: { greeting: { name: 'greeting.md' } } });
    const { greeting } = (result as unknown as { output: { greeting: Artifact } }).output;
    expect(await textOf(greeting)).toContain('Good morning, {{ Ada }}!');
  });

  test('fails when it is rejected, and writes nothing', async () => {
    const { goalId, approvalId } = await ask('Bob');
    await astra.client.approvals.decide(approvalId, { decision: 'rejected', comment: 'not today' });
    expect(await astra.client.goals.result(goalId, withinSeconds(60))).toMatchObject({ status: 'failed' });
    const { tasks } = await astra.client.goals.graph(goalId);
    expect(tasks.map(({ id, status }) => [id, status])).toEqual([
      ['ask', 'failed'],
      ['greet', 'skipped'],
    ]);
    expect(tasks[0]?.error?.code).toBe('ASTRA_APPROVAL_REJECTED');
  });
});
