import { join } from 'node:path';
import { ESLint } from 'eslint';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const eslint = new ESLint({
  cwd: root,
  // In CI the parser takes it that files are as they are on the disk.
  overrideConfig: {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { disallowAutomaticSingleRunInference: true } },
  },
});

/** Rules that a text breaks were it to stand in a file of the tree; the file must exist for the typed rules to work. */
async function broken(file: string, text: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(`${text}\n`, { filePath: join(root, file) });
  return result!.messages.map(({ ruleId, message }) => ruleId ?? message);
}

const refusals: readonly (readonly [file: string, text: string, rule: string])[] = [
  ['domain/limits.ts', 'export const now = (): number => Date.now();', 'no-restricted-syntax'],
  ['domain/limits.ts', 'export const now = (): Date => new Date();', 'no-restricted-syntax'],
  ['domain/limits.ts', 'export const chance = (): number => Math.random();', 'no-restricted-syntax'],
  ['domain/limits.ts', 'export const later = (f: () => void): unknown => setTimeout(f, 1);', 'no-restricted-globals'],
  ['workflows/contract.ts', "export const f = (): never => { throw new Error('x'); };", 'no-restricted-syntax'],
  [
    'workflows/contract.ts',
    'export const later = (f: () => void): unknown => setTimeout(f, 1);',
    'no-restricted-globals',
  ],
  ['platform/config.ts', 'export const path = process.env.PATH;', 'no-restricted-properties'],
  ['platform/config.ts', "import { env } from 'node:process';\nexport const path = env.PATH;", 'no-restricted-imports'],
  ['platform/config.ts', 'export default 1;', 'no-restricted-exports'],
  ['platform/config.ts', 'export const f = (x: any): unknown => x;', '@typescript-eslint/no-explicit-any'],
  ['platform/config.ts', 'export const f = (x: unknown): string => x as string;', 'astra/commented-as'],
  [
    'platform/config.ts',
    'export const f = (x: Promise<void>): void => { x; };',
    '@typescript-eslint/no-floating-promises',
  ],
  ['platform/config.ts', `export const f = (): void => {${'\n  void 0;'.repeat(61)}\n};`, 'max-lines-per-function'],
  ['platform/config.ts', '// x\n'.repeat(301), 'max-lines'],
];

// The first call makes a program of the whole tree.
describe('the rules of the house', { timeout: 120_000 }, () => {
  test.each(refusals.map(([file, text, rule]) => [file, rule, text] as const))(
    'refuse in %s what breaks %s',
    async (file, rule, text) => {
      expect(await broken(file, text)).toContain(rule);
    },
  );

  test.each([
    ['platform/config.ts', 'export const f = (x: unknown): string => x as string; // It was checked.'],
    ['platform/config.ts', "export const kinds = ['a', 'b'] as const;"],
    ['worker/create-workers.ts', 'export const now = (): number => Date.now();'],
    ['test/support/until.ts', 'export const path = process.env.PATH;'],
  ])('allow in %s: %s', async (file, text) => {
    expect(await broken(file, text)).toEqual([]);
  });
});
