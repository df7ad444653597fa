import { BudgetFault, EvaluationFault } from './evaluation-fault.ts';
import type { Compile, Frame, Names, Node, Run } from './program.ts';
import { typeOf, type Value } from './value.ts';

export function asBoolean(value: Value, what: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new EvaluationFault(`${what} must be true or false, not a ${typeOf(value)}`);
}

/** A boolean, or the fault that stands in its place until it is known whether it matters. */
export function attempt(run: Run, frame: Frame, what: string): boolean | EvaluationFault {
  try {
    return asBoolean(run(frame), what);
  } catch (error) {
    if (error instanceof EvaluationFault && !(error instanceof BudgetFault)) return error;
    throw error;
  }
}

/** As in CEL the operands commute: a side that decides makes a fault on the other side irrelevant. */
export function compileLogic(node: Node<'&&' | '||'>, names: Names, compile: Compile): Run {
  const decisive = node.op === '||';
  const what = `each side of ${node.op}`;
  const [leftNode, rightNode] = node.args;
  const left = compile(leftNode, names);
  const right = compile(rightNode, names);
  return (frame) => {
    const first = attempt(left, frame, what);
    if (first === decisive) return decisive;
    const second = attempt(right, frame, what);
    if (second === decisive) return decisive;
    if (first instanceof EvaluationFault) throw first;
    if (second instanceof EvaluationFault) throw second;
    return !decisive;
  };
}

export function compileConditional(node: Node<'?:'>, names: Names, compile: Compile): Run {
  const [conditionNode, thenNode, elseNode] = node.args;
  const condition = compile(conditionNode, names);
  const consequent = compile(thenNode, names);
  const alternative = compile(elseNode, names);
  return (frame) => (asBoolean(condition(frame), 'what stands before ?') ? consequent(frame) : alternative(frame));
}

export function compileUnary(node: Node<'!_' | '-_'>, names: Names, compile: Compile): Run {
  const run = compile(node.args, names);
  if (node.op === '!_') return (frame) => !asBoolean(run(frame), 'what stands after !');
  return (frame) => {
    const value = run(frame);
    if (typeof value === 'bigint' || typeof value === 'number') return -value;
    throw new EvaluationFault(`no - for a ${typeOf(value)}`);
  };
}
