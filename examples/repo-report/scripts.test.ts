import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRepository, type Repository } from '../test-support/repository.ts';
import { runReport, type Totals } from '../test-support/run-report.ts';

const allFiles = 'git ls-files -z | xargs -0 cat --';
const nul = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 10, 0, 10]);

/** Names that break scripts which trust names. All of them are C, of one line each. */
const oddNames = [
  'with space.c',
  ' leading and trailing .c',
  'it\'s "quoted".c',
  'line\nbreak.c',
  'tab\there.c',
  'ünï¢ødé-日本-🚀.c',
  '-rf.c',
  '--help.c',
  '$(touch pwned).c',
  '`touch pwned`;.c',
  'a|b & c > d.c',
  '{{ params.directory }}.c',
  'back\\slash.c',
  'star*?[x].c',
  'total.c',
  'deep/er -dir/\n/x.c',
];

const measure = async ({ directory }: Repository): Promise<Totals> =>
  (await runReport(directory, { until: 'totals' })).totals;
const reportOn = async ({ directory }: Repository): Promise<string> => (await runReport(directory)).markdown;
const linesOf = ({ stdout }: { readonly stdout: string }): string[] => stdout.trim().split('\n');

const expectFiguresOf = async (repository: Repository): Promise<void> => {
  const totals = await measure(repository);
  expect(totals.source).toBe('git');
  expect(totals.files).toBe(repository.figure("git ls-files -z | tr -cd '\\0' | wc -c"));
  expect(totals.lines).toBe(repository.figure(`${allFiles} | wc -l`));
  expect(totals.bytes).toBe(repository.figure(`${allFiles} | wc -c`));
};

describe('the figures of repo-report', () => {
  test('are those of git ls-files and wc, by language', async () => {
    using repository = createRepository({ git: true });
    repository.write({
      'src/a.ts': 'one\ntwo\n',
      'src/B.TS': 'three\nno line feed at the end',
      'README.md': '# Title\n',
      Makefile: 'all:\n\ttrue\n',
      'empty.py': '',
      'no-extension': 'x\n',
      'data.unheardof': 'y\n',
      'untracked.log': 'ignored\n',
      '.gitignore': '*.log\n',
      'image.png': nul,
    });
    repository.commit('first');
    await expectFiguresOf(repository);
    const { languages, binary } = await measure(repository);
    expect(Object.fromEntries(languages.map(({ name, files, lines }) => [name, [files, lines]]))).toEqual({
      TypeScript: [2, 3],
      Make: [1, 2],
      Markdown: [1, 1],
      Git: [1, 1],
      Python: [1, 0],
      Other: [1, 1],
      '.unheardof': [1, 1],
    });
    expect(binary).toEqual({ files: 1, lines: 2, bytes: nul.length });
  });

  test('are right for the oddest names', async () => {
    using repository = createRepository({ git: true });
    repository.write(Object.fromEntries(oddNames.map((name) => [name, 'int x; // TODO odd\n'])));
    repository.commit('odd');
    await expectFiguresOf(repository);
    const { totals, markdown } = await runReport(repository.directory);
    expect(totals.languages).toEqual([
      { name: 'C', files: oddNames.length, lines: oddNames.length, bytes: 19 * oddNames.length },
    ]);
    expect(markdown).toContain(`Lines with TODO: ${oddNames.length}`);
    expect(markdown).toContain('`ünï¢ødé-日本-🚀.c:1`');
    expect(markdown).toContain('| `line\ufffdbreak.c` | 1 | 1 | 0 |');
    expect(repository.figure('ls | grep -c "^pwned" || :')).toBe(0);
  });

  test('are right for odd names where there is no git repository', async () => {
    using repository = createRepository({ git: false });
    repository.write(Object.fromEntries(oddNames.map((name) => [name, 'int x;\n'])));
    repository.write({ 'node_modules/dep/index.js': 'x\n', '.git-is-not-here': 'x\n' });
    const totals = await measure(repository);
    expect(totals).toMatchObject({ source: 'find', files: oddNames.length + 1, lines: oddNames.length + 1 });
  });

  test.each([true, false])('are nought for an empty directory (git: %s)', async (git) => {
    using repository = createRepository({ git });
    const { totals, markdown, svg } = await runReport(repository.directory);
    expect(totals).toMatchObject({ files: 0, lines: 0, bytes: 0, languages: [] });
    expect(markdown).toContain('**0 files**');
    expect(markdown).toContain('There are no commits.');
    expect(svg).toContain('No lines of text');
  });

  test('do not follow symbolic links, and tell what is listed but absent', async () => {
    using repository = createRepository({ git: true });
    repository.write({ 'a.ts': '1\n2\n', 'gone.ts': '3\n' });
    symlinkSync('a.ts', join(repository.directory, 'link.ts'));
    symlinkSync('/etc', join(repository.directory, 'elsewhere'));
    repository.commit('links');
    rmSync(join(repository.directory, 'gone.ts'));
    expect(await measure(repository)).toMatchObject({ files: 4, lines: 2, symlinks: 2, absent: 1 });
  });

  test('are right for 20,000 files', async () => {
    using repository = createRepository({ git: true });
    const names = Array.from(
      { length: 20_000 },
      (_, n) => `${'d'.repeat(40)}/${n % 100}/a file with a long name ${n}.${n % 2 ? 'js' : 'py'}`,
    );
    repository.write(Object.fromEntries(names.map((name, n) => [name, 'x\n'.repeat(n % 5)])));
    repository.git('add', '--all');
    const { batches } = await runReport(repository.directory, { until: 'batches' });
    expect(batches.batches).toHaveLength(40);
    expect(batches.batches.join('').length).toBeLessThan(8 * 1024);
    await expectFiguresOf(repository);
  }, 120_000);

  test('are refused when files come or go meanwhile', async () => {
    using repository = createRepository({ git: true });
    repository.write({ 'a.ts': '1\n' });
    repository.commit('first');
    const { batches } = await runReport(repository.directory, { until: 'batches' });
    repository.write({ 'b.ts': '2\n' });
    repository.commit('second');
    await expect(runReport(repository.directory, { until: 'totals', given: { batches } })).rejects.toThrow(
      /files were added to or removed/,
    );
  });

  test('are refused when they do not agree', async () => {
    using repository = createRepository({ git: true });
    repository.write({ 'a.ts': '1\n' });
    repository.commit('first');
    const { batches } = await runReport(repository.directory, { until: 'batches' });
    await expect(
      runReport(repository.directory, { until: 'totals', given: { batches: { ...batches, batches: [] } } }),
    ).rejects.toThrow(
      'The totals do not agree (files listed: 1 at once, 0 in batches; files read: 1 at once, 0 in batches; lines: 1 at once, 0 in batches; bytes: 2 at once, 0 in batches)',
    );
  });
});

describe('the notes of repo-report', () => {
  test('are the lines that grep finds, with their place', async () => {
    using repository = createRepository({ git: true });
    repository.write({
      'a.ts': 'ok\n  // TODO: first | `odd`\n// FIXME and TODO\n',
      'b.md': 'TODOs are no TODO_LIST\n',
      'c.bin': Buffer.from('TODO\0'),
    });
    repository.commit('notes');
    const { notes, markdown } = await runReport(repository.directory);
    expect(linesOf(notes)).toEqual([
      'note 2\u001fa.ts\u001f// TODO: first | `odd`',
      'note 3\u001fa.ts\u001f// FIXME and TODO',
      'todo 2',
      'fixme 1',
      'lines 2',
    ]);
    expect(markdown).toContain('| `a.ts:2` | `` // TODO: first \\| `odd` `` |');
  });

  test('are counted all and shown up to fifty', async () => {
    using repository = createRepository({ git: true });
    repository.write({ 'a.ts': '// TODO\n'.repeat(60) });
    repository.commit('notes');
    const markdown = await reportOn(repository);
    expect(markdown).toContain('Lines with TODO: 60, with FIXME: 0.');
    expect(markdown).toContain('Only the first 50 are shown.');
  });
});

describe('the licences of repo-report', () => {
  const lock = {
    lockfileVersion: 3,
    packages: {
      '': { name: 'own', license: 'Apache-2.0', dependencies: { license: '^1.0.0' } },
      'node_modules/a': { version: '1.0.0', license: 'MIT' },
      'node_modules/@scope/b': {
        version: '1.0.0',
        license: '(MIT OR Apache-2.0)',
        dependencies: { license: '^1.0.0' },
      },
      'node_modules/a/node_modules/c': { version: '2.0.0', dependencies: { license: '^1.0.0' } },
      'node_modules/own-workspace': { resolved: 'packages/own', link: true },
    },
  };

  test('come from the lock file', async () => {
    using repository = createRepository({ git: true });
    repository.write({
      'package.json': '{ "license": "Apache-2.0" }',
      'package-lock.json': JSON.stringify(lock, null, 2),
    });
    const lines = linesOf((await runReport(repository.directory)).licences);
    expect(lines.slice(0, 2)).toEqual(['own Apache-2.0', 'origin package-lock.json']);
    expect(lines.slice(2).sort()).toEqual([
      'licence 1 (MIT OR Apache-2.0)',
      'licence 1 MIT',
      'licence 1 unknown',
      'packages 3',
      'unknown c',
    ]);
  });

  test('come from the installed packages where the lock file does not tell', async () => {
    using repository = createRepository({ git: true });
    repository.write({
      'node_modules/a/package.json': '{"name":"a","license":"ISC"}',
      'node_modules/@scope/b/package.json': '{\n  "name": "b",\n  "license": "MIT"\n}',
      'node_modules/c/package.json': '{}',
      'node_modules/c/lib/package.json': '{"license":"GPL-3.0"}',
    });
    const lines = linesOf((await runReport(repository.directory)).licences);
    expect(lines[0]).toBe('origin node_modules');
    expect(lines.slice(1).sort()).toEqual([
      'licence 1 ISC',
      'licence 1 MIT',
      'licence 1 unknown',
      'packages 3',
      'unknown c',
    ]);
  });

  test('are not made up for ecosystems whose manifests hold none', async () => {
    using repository = createRepository({ git: true });
    repository.write({
      'go.mod':
        'module example.org/x\n\ngo 1.24\n\nrequire (\n\tgithub.com/a/b v1.2.3\n\tgolang.org/x/c v0.1.0 // indirect\n)\n',
      'Cargo.lock': '[[package]]\nname = "a"\n\n[[package]]\nname = "b"\n',
      'requirements.txt': '# comment\nrequests==2\n\nflask\n-r more.txt\n',
    });
    const markdown = await reportOn(repository);
    expect(markdown).toContain('go.mod declares, without their licences: 2.');
    expect(markdown).toContain('Cargo.lock declares, without their licences: 2.');
    expect(markdown).toContain('requirements.txt declares, without their licences: 2.');
    expect(markdown).toContain('Packages from npm: 0 (source: none)');
  });
});

describe('the history of repo-report', () => {
  test('counts commits, people and changes, and names no one', async () => {
    using repository = createRepository({ git: true });
    const ada = { name: 'Ada', email: 'ada@example.org' };
    repository.write({ 'a.ts': '1\n2\n', 'b\t"ü".ts': '1\n', 'c.bin': nul });
    repository.commit('first', ada);
    repository.write({ 'a.ts': '1\n3\n4\n' });
    repository.commit('second', { name: 'Bob', email: 'bob@example.org' });
    repository.write({ 'a.ts': '4\n' });
    repository.commit('third', ada);
    const markdown = await reportOn(repository);
    expect(markdown).toMatch(/Commits looked at: 3, from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d; authors: 2\./);
    expect(markdown).toContain('| `a.ts` | 3 | 4 | 3 |');
    expect(markdown).toContain('| `b "ü".ts` | 1 | 1 | 0 |');
    expect(markdown).toContain('| `c.bin` | 1 | 0 | 0 |');
    expect(markdown).not.toMatch(/ada|bob|example\.org/i);
    expect((await runReport(repository.directory, { params: { historyCommits: 1 } })).churn.stdout).toContain(
      'commits 1\n',
    );
  });
});
