import type { Json } from './json.ts';
import type { Task } from './schemas/plan.ts';
import { splitSubGoalBody } from './sub-goal-body.ts';

/** A part of a task that holds expressions. */
export interface ExpressionSite {
  readonly path: readonly PropertyKey[];
  /** Is it evaluated for each item of a map, with `item` and `index` in scope? */
  readonly perItem: boolean;
  /** CEL as it stands, or JSON with `{{ CEL }}` in its strings. */
  readonly content: { readonly expression: string } | { readonly template: Json };
}

type Content = ExpressionSite['content'];
const site = (content: Content, path: readonly PropertyKey[], perItem = false): ExpressionSite => ({
  content,
  path,
  perItem,
});
const template = (json: Json | undefined, path: readonly PropertyKey[], perItem = false): ExpressionSite[] =>
  json === undefined ? [] : [site({ template: json }, path, perItem)];

function ownSites(task: Task): readonly ExpressionSite[] {
  switch (task.kind) {
    case 'tool':
      return template(task.input, ['input']);
    case 'map':
      return [site({ expression: task.over }, ['over']), ...template(task.task.input, ['task', 'input'], true)];
    case 'goal':
      return template(splitSubGoalBody(task.goal).own, ['goal']);
    case 'approval':
      return [...template(task.prompt, ['prompt']), ...template(task.input, ['input'])];
    case 'wait':
      return [];
  }
}

/** Everything in a task that is evaluated before or while it runs. */
export function expressionSites(task: Task): readonly ExpressionSite[] {
  return [...(task.when === undefined ? [] : [site({ expression: task.when }, ['when'])]), ...ownSites(task)];
}
