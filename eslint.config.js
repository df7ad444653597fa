import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const tests = ['**/*.test.ts', 'test/**/*.ts', '**/test-support/**/*.ts'];
const configFiles = ['*.config.{js,ts}'];

/** STYLE: an `as` is a promise that the compiler cannot check, so it says why it holds. `as const` promises nothing. */
const commentedAs = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { bare: 'Say in a comment on this line or above the statement why this `as` holds, or parse the value.' },
  },
  create(context) {
    const lines = new Set(
      context.sourceCode.getAllComments().flatMap(({ loc }) => [loc.start.line, loc.end.line, loc.end.line + 1]),
    );
    const statementOf = (node) =>
      /(Statement|Declaration|PropertyDefinition)$/.test(node.type) ? node : statementOf(node.parent);
    return {
      TSAsExpression(node) {
        if (node.typeAnnotation.type === 'TSTypeReference' && node.typeAnnotation.typeName.name === 'const') return;
        if (lines.has(node.loc.start.line) || lines.has(node.loc.end.line)) return;
        if (!lines.has(statementOf(node).loc.start.line)) context.report({ node, messageId: 'bare' });
      },
    };
  },
};

const noEnvironment = {
  'no-restricted-properties': [
    'error',
    {
      object: 'process',
      property: 'env',
      message: 'Configuration is parsed once: take it from loadConfig (platform/config.ts).',
    },
  ],
  'no-restricted-imports': [
    'error',
    { paths: [{ name: 'node:process', importNames: ['env'], message: 'Use loadConfig (platform/config.ts).' }] },
  ],
};

const strict = {
  'no-restricted-exports': [
    'error',
    { restrictDefaultExports: { direct: true, named: true, defaultFrom: true, namedFrom: true, namespaceFrom: true } },
  ],
  'max-lines': ['error', 300],
  'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
  complexity: ['error', { max: 12, variant: 'modified' }],
  eqeqeq: 'error',
  'no-console': 'error',
  'object-shorthand': 'error',
  'prefer-const': 'error',
  'astra/commented-as': 'error',
  ...noEnvironment,
  '@typescript-eslint/consistent-type-imports': [
    'error',
    { fixStyle: 'separate-type-imports', prefer: 'type-imports', disallowTypeAnnotations: false },
  ],
  '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'as' }],
  // It asks for `!`, which another rule forbids.
  '@typescript-eslint/non-nullable-type-assertion-style': 'off',
  '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  // `return callback()` is how callbacks end early.
  '@typescript-eslint/no-confusing-void-expression': 'off',
  // It does not see what callbacks change, so most of its findings here were wrong.
  '@typescript-eslint/no-unnecessary-condition': 'off',
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
  '@typescript-eslint/no-unused-vars': [
    'error',
    { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
  ],
  // A function may be async for its type, or so that whatever it throws is a rejection.
  '@typescript-eslint/require-await': 'off',
  // Factories return objects whose methods use no `this`, and destructuring them is how they are used.
  '@typescript-eslint/unbound-method': 'off',
  // JSON types need type aliases with index signatures: an interface is not assignable to one.
  '@typescript-eslint/consistent-type-definitions': 'off',
  '@typescript-eslint/consistent-indexed-object-style': 'off',
};

const clocks = [
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'The domain is pure: take the time as an argument.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'The domain is pure: take the time as an argument.',
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'The domain is pure: take random values as an argument.',
  },
];
const timers = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'process'];
const forbidGlobals = (names, message) => ['error', ...names.map((name) => ({ name, message }))];

export default defineConfig(
  { ignores: ['node_modules/', '**/.astra/', 'coverage/', '**/dist/'] },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { astra: { rules: { 'commented-as': commentedAs } } },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    // One program for the whole tree: the folders' own tsconfigs only narrow the ambient types.
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: strict,
  },
  {
    files: ['domain/**/*.ts'],
    ignores: tests,
    rules: {
      'no-restricted-syntax': ['error', ...clocks],
      'no-restricted-globals': forbidGlobals(
        [...timers, 'crypto', 'performance', 'Buffer'],
        'The domain is pure: no clock, no chance, no I/O.',
      ),
    },
  },
  {
    // Inside the workflow sandbox Date and Math.random are deterministic; these are not, or hide a durable timer.
    files: ['workflows/**/*.ts'],
    ignores: tests,
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ThrowStatement > NewExpression:not([callee.name=/Failure$/])',
          message:
            'Anything but a Temporal failure retries the workflow task for ever: throw ApplicationFailure.create({ type, message }).',
        },
      ],
      'no-restricted-globals': forbidGlobals(
        [...timers, 'WeakRef', 'FinalizationRegistry', 'crypto', 'performance', 'Buffer'],
        'Not deterministic: use sleep(), condition() or an activity.',
      ),
    },
  },
  {
    // Where a process begins, and what starts processes.
    files: ['worker/main.ts', 'api/main.ts', 'cli/settings.ts', 'infra/**/*.ts', ...tests],
    rules: { 'no-restricted-properties': 'off', 'no-restricted-imports': 'off' },
  },
  {
    // Programs that talk to a person on a terminal.
    files: ['cli/**/*.ts', 'infra/**/*.ts', 'examples/**/*.ts', 'test/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: tests,
    rules: {
      'max-lines': ['error', 500],
      'max-lines-per-function': 'off',
      'astra/commented-as': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  { files: configFiles, rules: { 'no-restricted-exports': 'off', 'max-lines-per-function': 'off' } },
  {
    files: ['**/*.{js,mjs,cjs}'],
    rules: {
      'max-lines': ['error', 300],
      'max-lines-per-function': ['error', 60],
      complexity: ['error', 12],
      eqeqeq: 'error',
      'prefer-const': 'error',
    },
  },
  {
    // A script of a template is one function expression: it cannot import, so its helpers stand inside it.
    files: ['examples/*/scripts/*.js'],
    rules: { 'max-lines-per-function': ['error', 120] },
  },
);
