/**
 * Who may import whom. test/unit/import-rules.test.ts plants a violation of each rule.
 *
 * A room may import itself and the rooms named here, at run time and for types alike; the three cases in which only
 * types may cross are rules of their own below. Each side of Temporal publishes one contract.ts; nobody imports past it.
 */
const layers = {
  domain: [],
  platform: ['domain'],
  stores: ['platform', 'domain'],
  activities: ['stores', 'platform', 'domain'],
  workflows: ['domain'],
  api: ['stores', 'platform', 'domain', 'workflows/contract'],
  worker: ['activities', 'stores', 'platform', 'domain', 'workflows/contract'],
  sdk: [],
  cli: ['sdk'],
  web: ['sdk'],
};
/** Room → what it may import as types only. */
const typesOnly = { workflows: 'activities/contract', sdk: 'domain' };

const rooms = Object.keys(layers).join('|');
const tests = '([.]test[.]ts$|/test-support/)';
const atRunTime = { dependencyTypesNot: ['type-only'] };
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
/** `^api/` for a room, `^workflows/contract[.]ts$` for a file. */
const pathOf = (target) => (target.includes('/') ? `^${target}[.]ts$` : `^${target}/`);

const layerRules = Object.entries(layers).flatMap(([room, others]) => {
  const allowed = [room, ...others].map(pathOf);
  const borrowed = typesOnly[room] === undefined ? [] : [pathOf(typesOnly[room])];
  const from = { path: `^${room}/`, pathNot: tests };
  return [
    rule(`layer-${room}`, `${room} imports ${allowed.join(', ')}`, from, {
      path: `^(${rooms})/`,
      pathNot: [...allowed, ...borrowed],
    }),
    ...borrowed.map((path) =>
      rule(`layer-${room}-types-only`, `${room} takes only types from ${path}`, from, { path, ...atRunTime }),
    ),
  ];
});

module.exports = {
  forbidden: [
    rule(
      'no-cycles',
      'Cycles at run time make the order of loading matter.',
      {},
      {
        circular: true,
        viaOnly: { dependencyTypesNot: ['type-only'] },
      },
    ),
    ...layerRules,
    rule(
      'no-zod-in-the-sandbox',
      'zod makes the workflow bundle two thirds larger: take the inferred types of domain/schemas only.',
      { path: '^workflows/', pathNot: tests },
      { path: '^domain/schemas/', ...atRunTime },
    ),
    rule(
      'pure-rooms-without-node',
      'The domain is pure, workflows are deterministic, the SDK runs in browsers.',
      { path: '^(domain|workflows|sdk)/', pathNot: tests },
      { dependencyTypes: ['core'] },
    ),
    rule(
      'workflow-packages',
      'Only what is known to be deterministic enters the workflow bundle.',
      { path: '^workflows/', pathNot: tests },
      {
        path: 'node_modules/',
        pathNot: 'node_modules/(@temporalio/(workflow|common)|@marcbachmann/cel-js)/',
        ...atRunTime,
      },
    ),
    rule(
      'domain-packages',
      'The domain knows expressions, schemas and canonical JSON, nothing else.',
      { path: '^domain/', pathNot: tests },
      { path: 'node_modules/', pathNot: 'node_modules/(zod|@marcbachmann/cel-js|canonicalize)/' },
    ),
    rule(
      'zod-only-in-schemas',
      'Parsing happens at the edges, with the schemas of domain/schemas.',
      { path: '^domain/', pathNot: ['^domain/schemas/', tests] },
      { path: 'node_modules/zod/', ...atRunTime },
    ),
    rule(
      'sdk-without-dependencies',
      'The SDK runs wherever fetch does.',
      { path: '^sdk/', pathNot: tests },
      { path: 'node_modules/' },
    ),
    rule(
      'rooms-stand-alone',
      'infra and examples stand on the rooms, never under them.',
      { path: `^(${rooms})/`, pathNot: tests },
      { path: '^(infra|examples)/' },
    ),
    rule(
      'only-tests-import-tests',
      'Test support is no library.',
      { pathNot: ['^test/', tests] },
      { path: ['^test/', tests] },
    ),
    rule(
      'only-declared-packages',
      'A package that package.json does not declare is there by accident.',
      { pathNot: 'node_modules/' },
      {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown'],
      },
    ),
    rule(
      'no-development-packages-at-run-time',
      'Development packages are not installed in production.',
      { path: `^(${rooms})/`, pathNot: tests },
      {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only'],
      },
    ),
    rule('imports-resolve', 'An import that does not resolve fails when it is reached.', {}, { couldNotResolve: true }),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules/' },
    exclude: { path: '(^|/)(dist|[.]astra)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
