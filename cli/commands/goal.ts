import { Command } from 'commander';
import type { GoalStatus } from '@astra/sdk';
import { collectLabels, parseCount } from '../pairs.ts';
import type { Bind } from '../session.ts';
import { addSubmitFlags } from '../submit-goal.ts';
import { watchGoal } from '../watch/watch-goal.ts';
import { addGoalDelete } from './deletion.ts';
import { cancelGoal, sendEvent } from './goal-actions.ts';
import { printEvents } from './goal-events.ts';
import { addPlanCommands } from './goal-plan.ts';
import { addPauseCommands } from './goal-pause.ts';
import { printArtifacts, printGoal, printGoals, printGraph, printResult } from './goal-reads.ts';
import { submitFromFlags } from './goal-submit.ts';
import { submitBatch } from './goal-submit-batch.ts';

const parseStatuses = (text: string): GoalStatus[] =>
  // The API knows the states and names them when one is wrong.
  text.split(',') as GoalStatus[];

/** `astra goal …` */
export function createGoalCommand(bind: Bind): Command {
  const goal = new Command('goal').description('submit, watch, read, pause, change, cancel and delete goals');
  addSubmitCommands(goal, bind);
  goal
    .command('watch <id>')
    .description('show a goal until it ends; Ctrl-C leaves it running')
    .action(bind((session, id: string) => watchGoal(session, id)));
  goal.command('get <id>').description('show a goal').action(bind(printGoal));
  goal
    .command('list')
    .description('list goals, newest first')
    .option('--status <states>', 'only these states, separated by commas', parseStatuses)
    .option('-l, --label <name=value>', 'only with this label (repeatable)', collectLabels)
    .option('--template <name>', 'only of this template')
    .option('--cascade <id>', 'only of this cascade')
    .option('-n, --limit <count>', 'how many', parseCount(1), 20)
    .action(bind(printGoals));
  goal
    .command('cancel [id]')
    .description('cancel a goal, or with --cascade all that belong together')
    .option('--cascade <id>', 'all goals of this cascade that have not ended')
    .option('--reason <text>', 'for the record')
    .option('--compensate', 'have what has completed taken back, where its tools can')
    .action(bind(cancelGoal));
  addPlanCommands(goal, bind);
  addPauseCommands(goal, bind);
  goal
    .command('events <id>')
    .description('show the events of a goal; with -o json one JSON document a line')
    .option('-f, --follow', 'go on until the goal ends')
    .option('--live', 'with --follow: also what running tasks write')
    .option('--from <seq>', 'first event', parseCount(1), 1)
    .action(bind(printEvents));
  goal
    .command('result <id>')
    .description('wait until a goal has ended and print its output')
    .option('--timeout <seconds>', 'wait no longer than this', parseCount(1))
    .action(bind(printResult));
  goal.command('graph <id>').description('show every task of a goal').action(bind(printGraph));
  goal
    .command('artifacts <id>')
    .description('list the artifacts of a goal')
    .option('--download <directory>', 'fetch them into this directory; prints their paths')
    .action(bind(printArtifacts));
  goal
    .command('send-event <id> <name>')
    .description('deliver an event to a waiting task of a goal')
    .option('--data <json>', 'a JSON object')
    .action(bind(sendEvent));
  addGoalDelete(goal, bind);
  return goal;
}

function addSubmitCommands(goal: Command, bind: Bind): void {
  addSubmitFlags(
    goal
      .command('submit [file]')
      .description(
        'submit a goal: from a JSON file with a goal or a plan (- is standard input), a template, or an objective',
      )
      .option('--objective <text>', 'what is to be achieved; alone, a model plans it')
      .option('--template <name>', 'template to make the plan from'),
  ).action(bind(submitFromFlags));
  goal
    .command('submit-batch <file>')
    .description('submit a goal for each line of an NDJSON file (- is standard input); prints a line for each')
    .option('--idempotency-key <key>', 'the same key and file start each goal once')
    .action(bind(submitBatch));
}
