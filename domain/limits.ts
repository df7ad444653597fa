/** The bounds Astra enforces. docs/reference/limits.md shows them to users and a test holds the two together. */
export const limits = {
  planTasks: 10_000,
  planBytes: 1024 * 1024,
  goalBodyBytes: 1024 * 1024,
  fanIn: 1_000,
  subGoalDepth: 10,
  mapItems: 100_000,
  /** Larger outputs become artifacts and travel as references. */
  inlineOutputBytes: 8 * 1024,
  /** An artifact up to this size is resolved to its value where an expression or a tool needs it. */
  resolvedOutputBytes: 16 * 1024 * 1024,
  /** What the outputs that one task's expressions refer to may have together, to be resolved to their values. */
  scopeBytes: 64 * 1024 * 1024,
  /** An outside event's data. */
  eventBytes: 32 * 1024,
  /** Outside events that no wait has taken yet; what comes beyond is dropped. */
  mailboxEvents: 32,
  artifactBytes: 5 * 1024 * 1024 * 1024,
  labels: 32,
  /** How far ahead a goal may be submitted: a year. */
  startDelaySeconds: 31_536_000,
  /** Goals that one goal waits for. */
  goalDependencies: 50,
  batchItems: 1_000,
  batchBytes: 8 * 1024 * 1024,
  /** Times that one backfill of a schedule runs. */
  backfillTimes: 500,
  /** Of a tenant: each goal and each call is held to all of them. */
  flowLimits: 100,
  documents: 64,
  expressionChars: 8_192,
  /** Operators, names, literals and calls of one expression. */
  expressionNodes: 1_000,
  /** Cost of the expressions of one task; a step is an operation or 32 characters of text. */
  expressionSteps: 2_000_000,
  /** Lists and objects inside of one another in a body. */
  jsonDepth: 100,
  listPage: 500,
  /** Of a tenant: as many that Astra calls, and as many by which it is called. A commit of 2,000 events writes each 20 times. */
  webhooks: 20,
  /** Subjects, and scopes, that an approval names. */
  deciders: 100,
  /** How often one vote may be passed on. */
  delegations: 5,
  policyRules: 200,
  /** How often a goal's planner is asked to mend its plan. */
  replans: 10,
  /** Tasks that one call retries or discards. */
  parkedTasks: 1_000,
} as const;
