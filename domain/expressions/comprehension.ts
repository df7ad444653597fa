import type { ASTNode } from '@marcbachmann/cel-js';
import type { Json } from '../json.ts';
import { spend } from './budget.ts';
import { EvaluationFault } from './evaluation-fault.ts';
import { asBoolean, attempt } from './logic.ts';
import { SyntaxFault, type Compile, type Frame, type Names, type Node, type Run } from './program.ts';
import { isList, isMap, lift, lower, typeOf, type Value } from './value.ts';

/**
 * Calls `visit` with the variable set to each element, or key of a map, until it answers false. Says whether it never
 * did.
 */
type Each = (frame: Frame, visit: (value: Value) => boolean) => boolean;
type Comprehend = (each: Each, bodies: readonly Run[], name: string) => Run;

const map: Comprehend = (each, [first, second], name) => {
  const predicate = second && first;
  const transform = second ?? first;
  return (frame) => {
    const results: Json[] = [];
    each(frame, () => {
      const wanted = !predicate || asBoolean(predicate(frame), `the condition of ${name}`);
      if (wanted && transform) results.push(lower(transform(frame)));
      return true;
    });
    return results;
  };
};

const filter: Comprehend =
  (each, [predicate], name) =>
  (frame) => {
    const results: Json[] = [];
    each(frame, (value) => {
      if (predicate && asBoolean(predicate(frame), `the condition of ${name}`)) results.push(lower(value));
      return true;
    });
    return results;
  };

/** `all` and `exists` are `&&` and `||` over the elements: an element that decides makes faults of others irrelevant. */
const quantifier =
  (decisive: boolean): Comprehend =>
  (each, [predicate], name) =>
  (frame) => {
    const faults: EvaluationFault[] = [];
    const undecided = each(frame, () => {
      const answer = predicate && attempt(predicate, frame, `the condition of ${name}`);
      if (answer instanceof EvaluationFault) faults.push(answer);
      return answer !== decisive;
    });
    const [fault] = faults;
    if (undecided && fault) throw fault;
    return undecided ? !decisive : decisive;
  };

const existsOne: Comprehend =
  (each, [predicate], name) =>
  (frame) => {
    let count = 0;
    each(frame, () => {
      if (predicate && asBoolean(predicate(frame), `the condition of ${name}`)) count += 1;
      return true;
    });
    return count === 1;
  };

const comprehensions: ReadonlyMap<string, Comprehend> = new Map([
  ['map/2', map],
  ['map/3', map],
  ['filter/2', filter],
  ['all/2', quantifier(false)],
  ['exists/2', quantifier(true)],
  ['exists_one/2', existsOne],
]);

function elementsOf(value: Value, name: string): readonly Json[] {
  if (isList(value)) return value;
  if (isMap(value)) return Object.keys(value);
  throw new EvaluationFault(`${name} goes over a list or the keys of a map, not over a ${typeOf(value)}`);
}

/** Nodes are not counted; a body's length in characters tells well enough what one round of it costs. */
const charsAStep = 8;
const costOf = (node: ASTNode | undefined): number => 1 + (node ? Math.trunc((node.end - node.start) / charsAStep) : 0);

/** `list.map(x, …)`, `filter`, `all`, `exists`, `exists_one`; undefined when the call is none of these. */
export function compileComprehension(node: Node<'rcall'>, names: Names, compile: Compile): Run | undefined {
  const [name, range, [variable, ...bodyNodes]] = node.args;
  const comprehend = comprehensions.get(`${name}/${bodyNodes.length + 1}`);
  if (!comprehend) return undefined;
  if (variable?.op !== 'id') throw new SyntaxFault(`${name} needs a name for the element first`, node.start);
  const runRange = compile(range, names);
  const inner = { ...names, variables: [...names.variables, variable.args] };
  const bodies = bodyNodes.map((body) => compile(body, inner));
  const slot = names.variables.length;
  const cost = bodyNodes.reduce((sum, body) => sum + costOf(body), 1);

  const each: Each = (frame, visit) => {
    for (const item of elementsOf(runRange(frame), name)) {
      spend(frame.budget, cost);
      const value = lift(item);
      frame.variables[slot] = value;
      if (!visit(value)) return false;
    }
    return true;
  };
  return comprehend(each, bodies, name);
}
