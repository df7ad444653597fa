import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../domain/json.ts';
import { createSandbox } from '../sandbox/create-sandbox.ts';
import { toolContext } from '../../test/support/tool-context.ts';
import { builtInTools } from './built-in-tools.ts';
import { createEgressPolicy } from './egress-policy.ts';
import { loadToolModules } from './load-tool-modules.ts';
import { createToolRegistry } from './registry.ts';

const builtIn = builtInTools({
  egress: createEgressPolicy([]),
  sandbox: createSandbox({ bwrapPath: 'bwrap', roots: [] }),
  shellNetworkAllowed: false,
  model: null,
});
/** Top-level fields of a JSON Schema, of all its alternatives. */
function fieldsOf({ properties, anyOf }: JsonObject): string[] {
  const alternatives = (anyOf ?? []) as readonly JsonObject[];
  return [...Object.keys(properties ?? {}), ...alternatives.flatMap(fieldsOf)];
}
const support = (name: string) => fileURLToPath(new URL(`../../test/support/${name}`, import.meta.url));

describe('the built-in tools', () => {
  test('are these, with these classes and effects', () => {
    const rows = createToolRegistry({ tools: builtIn })
      .manifests()
      .map((m) => [m.name, m.workerClass, m.execution, m.effect, m.cacheSeconds > 0]);
    expect(rows).toEqual([
      ['artifact.read', 'tools', 'activity', 'none', true],
      ['artifact.write', 'tools', 'activity', 'idempotent', false],
      ['code.javascript', 'tools', 'inline', 'none', false],
      ['http.fetch', 'tools', 'activity', 'idempotent', false],
      ['model.generate', 'tools', 'activity', 'none', false],
      ['shell.run', 'sandbox', 'activity', 'idempotent', false],
      ['text.render', 'tools', 'inline', 'none', false],
    ]);
  });

  test('stand in docs/reference/tools.md with their facts and every field', () => {
    const text = readFileSync(new URL('../../docs/reference/tools.md', import.meta.url), 'utf8');
    for (const manifest of createToolRegistry({ tools: builtIn }).manifests()) {
      const { name, workerClass, execution, effect, timeoutSeconds, cacheSeconds } = manifest;
      const facts = [
        `\`${name}\``,
        workerClass,
        execution,
        effect,
        `${timeoutSeconds} s`,
        cacheSeconds ? `${cacheSeconds} s` : 'never',
      ];
      expect(text).toMatch(new RegExp(`^\\| ${facts.join(' +\\| ').replaceAll('.', '\\.')} +\\|$`, 'm'));
      const section = text.split(`\n## ${name}\n`)[1]?.split('\n## ')[0] ?? '';
      const documented = [...section.matchAll(/^\| `(\w+)` /gm)].map(([, field]) => field);
      const declared = [...fieldsOf(manifest.inputSchema), ...fieldsOf(manifest.outputSchema)];
      expect(new Set(documented), name).toEqual(new Set(declared));
    }
  });

  test('model.generate without a model says what to set', async () => {
    const tool = createToolRegistry({ tools: builtIn }).get('model.generate');
    await expect(tool?.run({ prompt: 'x' }, toolContext())).rejects.toMatchObject({
      code: 'ASTRA_MODEL_NOT_CONFIGURED',
      message: expect.stringContaining('ASTRA_MODEL') as string,
    });
  });

  test('shell.run refuses the network where the operator does', async () => {
    const tool = createToolRegistry({ tools: builtIn }).get('shell.run');
    await expect(tool?.run({ command: 'true', network: true }, toolContext())).rejects.toMatchObject({
      code: 'ASTRA_EGRESS_DENIED',
    });
  });
});

describe('tools of one’s own', () => {
  test('are loaded from their module and stand beside the built-in ones', async () => {
    const registry = createToolRegistry({ tools: [...builtIn, ...(await loadToolModules([support('own-tools.ts')]))] });
    expect(await registry.get('own.double')?.run({ n: 2 }, toolContext())).toEqual({ doubled: 4 });
    expect(registry.get('own.unknown')).toBeUndefined();
  });

  test('two tools of one name are refused', () => {
    expect(() => createToolRegistry({ tools: [...builtIn, ...builtIn] })).toThrow('Two tools are called');
  });

  test.each([
    ['absent.ts', /absent\.ts cannot be loaded/],
    ['tool-context.ts', /must export `tools`/],
  ])('%s is named when it is not a module of tools', async (name, message) => {
    await expect(loadToolModules([support(name)])).rejects.toMatchObject({
      code: 'ASTRA_PARAMETER_INVALID',
      message: expect.stringMatching(message) as string,
    });
  });
});
