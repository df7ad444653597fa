import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { GoalSubmission, JsonObject } from '@astra/sdk';
import { collectLabels, collectParams, collectTexts, parseCount } from './pairs.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { readJsonObject } from './read-input.ts';
import type { Session } from './session.ts';
import { awaitGoal, watchGoal } from './watch/watch-goal.ts';

/** What `goal submit` and `template run` have in common. */
export interface SubmitFlags {
  readonly param?: JsonObject;
  readonly paramsFile?: string;
  readonly input?: JsonObject;
  readonly inputFile?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly startAt?: string;
  readonly delay?: number;
  readonly dependsOn?: string[];
  readonly cascade?: string;
  readonly callbackUrl?: string;
  readonly replan?: string | true;
  readonly maxReplans?: number;
  readonly idempotencyKey?: string;
  readonly idFile?: string;
  readonly watch?: true;
  readonly wait?: true;
}

export const addSubmitFlags = (command: Command): Command =>
  command
    .option(
      '-p, --param <name=value>',
      'parameter of the template; a value that is JSON counts as such (repeatable)',
      collectParams,
    )
    .option('--params-file <file>', 'JSON object with parameters of the template; - is standard input')
    .option('--input <name=value>', 'field of the goal’s input (repeatable)', collectParams)
    .option('--input-file <file>', 'JSON object with the goal’s input; - is standard input')
    .option('-l, --label <name=value>', 'label of the goal (repeatable)', collectLabels)
    .option('--priority <1-5>', '1 is first', parseCount(1))
    .option('--start-at <time>', 'begin no sooner, such as 2026-12-24T18:00:00Z')
    .option('--delay <seconds>', 'begin no sooner than in so many seconds', parseCount(0))
    .option('--depends-on <id>', 'begin when this goal has completed (repeatable)', collectTexts)
    .option('--cascade <id>', 'goals of the same cascade are listed and cancelled together')
    .option('--callback-url <url>', 'is sent the goal’s last event')
    .option(
      '--replan [planner]',
      'have this planner mend the plan when a task fails; alone, the template’s fallback plan',
    )
    .option('--max-replans <count>', 'as often as this at most', parseCount(1))
    .option('--idempotency-key <key>', 'the same key and goal start once, however often they are submitted')
    .option('--id-file <file>', 'write the goal’s id there as soon as it is accepted')
    .option('-w, --watch', 'show the goal until it ends')
    .option('--wait', 'wait in silence until the goal ends');

/** Values of a file, overruled by those of the command line; undefined when there is neither. */
export async function mergeObject(
  session: Session,
  file: string | undefined,
  given: JsonObject | undefined,
): Promise<JsonObject | undefined> {
  const base = file === undefined ? undefined : await readJsonObject(file, session.io);
  return base || given ? { ...base, ...given } : undefined;
}

function replanningOf({ replan, maxReplans }: SubmitFlags): Partial<GoalSubmission> {
  return {
    ...(replan !== undefined && { onTaskFailure: 'replan' }),
    ...(typeof replan === 'string' && { planner: replan }),
    ...(maxReplans !== undefined && { maxReplans }),
  };
}

/** Submits, then waits or watches as the flags say. */
export async function submitGoal(session: Session, body: GoalSubmission, flags: SubmitFlags): Promise<ExitCode> {
  const { astra, io } = session;
  const input = await mergeObject(session, flags.inputFile, flags.input);
  const submission = {
    ...body,
    ...(input && { input: { ...body.input, ...input } }),
    ...(flags.label && { labels: { ...body.labels, ...flags.label } }),
    ...(flags.priority !== undefined && { priority: flags.priority }),
    ...(flags.startAt !== undefined && { startAt: flags.startAt }),
    ...(flags.delay !== undefined && { delaySeconds: flags.delay }),
    ...(flags.dependsOn && { dependsOnGoalIds: flags.dependsOn }),
    ...(flags.cascade !== undefined && { cascadeId: flags.cascade }),
    ...(flags.callbackUrl !== undefined && { callbackUrl: flags.callbackUrl }),
    ...replanningOf(flags),
  };
  const goal = await astra.goals.submit(submission, { idempotencyKey: flags.idempotencyKey, signal: io.signal });
  if (flags.idFile !== undefined) await writeFile(resolve(io.cwd, flags.idFile), `${goal.id}\n`);
  if (flags.watch) return watchGoal(session, goal.id);
  if (flags.wait) return awaitGoal(session, goal.id);
  session.print(goal, () => [goal.id]);
  session.note(`accepted; watch it: npx astra goal watch ${goal.id}`);
  return exitCodes.completed;
}
