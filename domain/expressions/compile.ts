import type { ASTNode } from '@marcbachmann/cel-js';
import type { JsonObject } from '../json.ts';
import { compileElement, compileField, compileHas, compileName } from './access.ts';
import { applyOperator } from './arithmetic.ts';
import { compileComprehension } from './comprehension.ts';
import { EvaluationFault } from './evaluation-fault.ts';
import { functions } from './functions.ts';
import { compileConditional, compileLogic, compileUnary } from './logic.ts';
import { SyntaxFault, type Names, type Node, type Run } from './program.ts';
import { lower, typeOf } from './value.ts';

/** Turns the syntax tree of an expression into a function, and notes the names that it uses. @throws SyntaxFault */
export function compile(node: ASTNode, names: Names): Run {
  switch (node.op) {
    case 'value':
      return compileLiteral(node);
    case 'id':
      return compileName(node, names);
    case '.':
      return compileField(node, names, compile);
    case '[]':
      return compileElement(node, names, compile);
    case 'list':
      return compileList(node, names);
    case 'map':
      return compileMap(node, names);
    case 'call':
    case 'rcall':
      return compileCall(node, names);
    default:
      return compileOperator(node, names);
  }
}

function compileOperator(
  node: Exclude<ASTNode, Node<'value' | 'id' | '.' | '[]' | 'list' | 'map' | 'call' | 'rcall'>>,
  names: Names,
): Run {
  switch (node.op) {
    case '&&':
    case '||':
      return compileLogic(node, names, compile);
    case '?:':
      return compileConditional(node, names, compile);
    case '!_':
    case '-_':
      return compileUnary(node, names, compile);
    case '.?':
    case '[?]':
      throw new SyntaxFault('optional values are not supported; use has(…)', node.start);
    default: {
      const { op } = node;
      const [leftNode, rightNode] = node.args;
      const left = compile(leftNode, names);
      const right = compile(rightNode, names);
      return (frame) => applyOperator(op, left(frame), right(frame), frame.budget);
    }
  }
}

const integerBound = 2n ** 63n;

function compileLiteral(node: Node<'value'>): Run {
  const literal = node.args;
  if (typeof literal === 'object' && literal !== null) {
    throw new SyntaxFault('bytes and unsigned integers are not supported: values are JSON', node.start);
  }
  if (typeof literal === 'bigint' && literal > integerBound) throw new SyntaxFault('integer overflow', node.start);
  return () => literal;
}

function compileList(node: Node<'list'>, names: Names): Run {
  const items = node.args.map((item) => compile(item, names));
  return (frame) => items.map((item) => lower(item(frame)));
}

function compileMap(node: Node<'map'>, names: Names): Run {
  const members = node.args.map(([key, value]) => ({ key: compile(key, names), value: compile(value, names) }));
  return (frame): JsonObject =>
    // `fromEntries` defines members; an assignment would follow a key called `__proto__`.
    Object.fromEntries(
      members.map((member) => {
        const key = member.key(frame);
        if (typeof key !== 'string') throw new EvaluationFault(`the keys of a map are strings, not ${typeOf(key)}s`);
        return [key, lower(member.value(frame))];
      }),
    );
}

function compileCall(node: Node<'call' | 'rcall'>, names: Names): Run {
  if (node.op === 'rcall') {
    const comprehension = compileComprehension(node, names, compile);
    if (comprehension) return comprehension;
  } else if (node.args[0] === 'has') return compileHas(node, names, compile);

  const [name] = node.args;
  const argNodes = node.op === 'rcall' ? [node.args[1], ...node.args[2]] : node.args[1];
  const call = functions.get(`${name}/${argNodes.length}`);
  if (!call) throw new SyntaxFault(unknownFunction(name, argNodes.length), node.start);
  const args = argNodes.map((arg) => compile(arg, names));
  return (frame) =>
    call(
      args.map((arg) => arg(frame)),
      frame.budget,
    );
}

function unknownFunction(name: string, argCount: number): string {
  const known = [...functions.keys()].map((signature) => signature.split('/')[0]);
  if (known.includes(name)) return `${name} does not take ${argCount} arguments`;
  return `unknown function "${name}": there are has, map, filter, all, exists, exists_one, ${[...new Set(known)].join(', ')}; for more use a task with code.javascript`;
}
