import { access, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildReference } from '../../docs/build-reference.ts';

const root = join(import.meta.dirname, '../..');
const docs = join(root, 'docs');

describe('the generated reference', () => {
  test('is what `npm run docs` makes of the code', async () => {
    for (const [file, text] of await buildReference()) {
      expect(await readFile(file, 'utf8'), `${basename(file)} is out of date: run \`npm run docs\``).toBe(text);
    }
  });

  test('shows every metric that a process registers', async () => {
    const page = await readFile(join(docs, 'reference/metrics.md'), 'utf8');
    const registered = new Set<string>();
    for (const folder of ['platform', 'stores', 'activities', 'api', 'worker']) {
      for (const entry of await readdir(join(root, folder), { recursive: true })) {
        if (!entry.endsWith('.ts') || entry.endsWith('.test.ts')) continue;
        const source = await readFile(join(root, folder, entry), 'utf8');
        if (!source.includes("from 'prom-client'")) continue;
        for (const [, name] of source.matchAll(/name(?::| =) '(astra_\w+)'/g)) registered.add(name!);
      }
    }
    const shown = [...page.matchAll(/^\| `(astra_\w+)`/gm)].map(([, name]) => name);
    expect(shown.toSorted()).toEqual([...registered].toSorted());
  });
});

test('each package that runs with Astra, and no other, has a line in its decision', async () => {
  // npm wrote it.
  const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const page = await readFile(join(docs, 'adr/0010-runtime-dependencies.md'), 'utf8');
  const firstCells = [...page.matchAll(/^\| (`[^|]*)\|/gm)].map(([, cell]) => cell!).join(' ');
  const named = [...firstCells.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  expect(named.toSorted()).toEqual(Object.keys(dependencies).toSorted());
});

describe('links between the documents', () => {
  /** What is in parentheses after `]`, without the part after `#`. */
  const linksOf = (text: string): string[] =>
    [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)].map(([, link]) => link!);

  test('lead to files that exist', async () => {
    const inDocs = await readdir(docs, { recursive: true });
    const pages = [
      ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'sdk/README.md'],
      ...inDocs.filter((name) => name.endsWith('.md')).map((name) => join('docs', name)),
    ];
    const broken: string[] = [];
    for (const page of pages) {
      for (const link of linksOf(await readFile(join(root, page), 'utf8'))) {
        if (/^[a-z]+:/.test(link)) continue;
        const target = join(root, page, '..', link);
        const exists = await access(target).then(
          () => true,
          () => false,
        );
        if (!exists) broken.push(`${page} → ${link}`);
      }
    }
    expect(broken).toEqual([]);
  });

  test('of the index name every page', async () => {
    const linked = new Set(linksOf(await readFile(join(docs, 'README.md'), 'utf8')));
    const decisions = new Set(linksOf(await readFile(join(docs, 'adr/README.md'), 'utf8')));
    const missing = [
      ...(await pagesIn('guides')).filter((name) => !linked.has(`guides/${name}`)),
      ...(await pagesIn('reference')).filter((name) => !linked.has(`reference/${name}`)),
      ...(await pagesIn('adr')).filter((name) => name !== 'README.md' && !decisions.has(name)),
    ];
    expect(missing).toEqual([]);
  });
});

const pagesIn = async (folder: string): Promise<string[]> =>
  (await readdir(join(docs, folder))).filter((name) => name.endsWith('.md'));
