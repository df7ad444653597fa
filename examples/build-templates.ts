import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { templateSchema, type Template } from '../domain/schemas/template.ts';
import { approvedGreeting } from './approved-greeting/template.ts';
import { repoReport } from './repo-report/template.ts';
import { createSourceReader } from './source-reader.ts';

/** The examples: each folder's template.json is made of its template.ts and the scripts beside it. */
const templates = { 'repo-report': repoReport, 'approved-greeting': approvedGreeting };

/** File → text, of every template.json. */
export async function buildTemplates(): Promise<Map<string, string>> {
  const built = Object.entries(templates).map(async ([name, create]) => {
    const directory = join(import.meta.dirname, name);
    const file = join(directory, 'template.json');
    const template: Template = templateSchema.parse(
      await create(createSourceReader((path) => readFile(join(directory, path), 'utf8'))),
    );
    const style = await resolveConfig(file);
    return [file, await format(JSON.stringify(template), { ...style, filepath: file })] as const;
  });
  return new Map(await Promise.all(built));
}

if (import.meta.main) {
  for (const [file, text] of await buildTemplates()) {
    await writeFile(file, text);
    console.log(`wrote ${relative(process.cwd(), file)}`);
  }
}
