import type { ASTNode } from '@marcbachmann/cel-js';
import { EvaluationFault } from './evaluation-fault.ts';
import { localNames, SyntaxFault, type Compile, type LocalName, type Names, type Node, type Run } from './program.ts';
import { compileOwnField, compileOwnName } from './own-names.ts';
import { isList, isMap, lift, member, typeOf, type Value } from './value.ts';

const locals: ReadonlySet<string> = new Set(localNames);
const isLocalName = (name: string): name is LocalName => locals.has(name);

export function compileName(node: Node<'id'>, names: Names): Run {
  const name = node.args;
  const slot = names.variables.lastIndexOf(name);
  if (slot !== -1) return ({ variables }) => variables[slot] ?? null;
  if (names.vocabulary) return compileOwnName(node, names.vocabulary);
  if (isLocalName(name)) {
    names.locals.add(name);
    return ({ scope }) => {
      const value = scope[name];
      if (value === undefined) throw new EvaluationFault(`"${name}" is not in scope here`);
      return lift(value);
    };
  }
  const hint = { goal: 'goal.input', tasks: 'tasks.<id>.output' }[name];
  throw new SyntaxFault(
    hint
      ? `"${name}" has no value of its own: write ${hint}`
      : `unknown name "${name}": in scope are goal.input, tasks.<id>.output, item, index and params, or payload and headers`,
    node.start,
  );
}

/**
 * `goal.input` and `tasks.<id>.output` are the only uses that plans have for these two names, so that all references can
 * be found.
 */
function compileRoot(node: Node<'.'>, names: Names): Run | undefined {
  const [object, key] = node.args;
  if (names.vocabulary) return isVariable(object, names) ? undefined : compileOwnField(node, names.vocabulary);
  if (isUnbound(object, 'goal', names) && key === 'input') {
    return ({ scope }) => {
      if (!scope.goal) throw new EvaluationFault('"goal" is not in scope here');
      return scope.goal.input;
    };
  }
  const id = key === 'output' ? taskIdOf(object, names) : undefined;
  if (id === undefined) return undefined;
  names.tasks.add(id);
  return ({ scope }) => {
    // A task may be called `constructor`: only own properties count.
    const task = scope.tasks && Object.hasOwn(scope.tasks, id) ? scope.tasks[id] : undefined;
    if (!task) throw new EvaluationFault(`task "${id}" has no output yet`);
    return lift(task.output);
  };
}

const isVariable = (node: ASTNode, names: Names): boolean => node.op === 'id' && names.variables.includes(node.args);

function isUnbound(node: ASTNode, name: string, names: Names): boolean {
  return node.op === 'id' && node.args === name && !names.variables.includes(name);
}

function taskIdOf(node: ASTNode, names: Names): string | undefined {
  if (node.op !== '.' && node.op !== '[]') return undefined;
  const [object, key] = node.args;
  if (!isUnbound(object, 'tasks', names)) return undefined;
  if (typeof key === 'string') return key;
  if (key.op === 'value' && typeof key.args === 'string') return key.args;
  throw new SyntaxFault('tasks[…] needs a literal task id, so that the dependencies are known beforehand', key.start);
}

function field(value: Value, key: string): Value {
  const found = isMap(value) ? member(value, key) : undefined;
  if (found !== undefined) return found;
  throw new EvaluationFault(
    isMap(value) ? `no such key "${key}"; guard it with has(…)` : `a ${typeOf(value)} has no "${key}"`,
  );
}

function element(value: Value, key: Value): Value {
  if (isMap(value) && typeof key === 'string') return field(value, key);
  if (isList(value) && (typeof key === 'bigint' || typeof key === 'number')) {
    const json = value[Number(key)];
    if (json !== undefined) return lift(json);
    throw new EvaluationFault(`no element ${key.toString()} in a list of ${value.length}`);
  }
  throw new EvaluationFault(`a ${typeOf(value)} cannot be indexed with a ${typeOf(key)}`);
}

export function compileField(node: Node<'.'>, names: Names, compile: Compile): Run {
  const root = compileRoot(node, names);
  if (root) return root;
  const [object, key] = node.args;
  const run = compile(object, names);
  return (frame) => field(run(frame), key);
}

export function compileElement(node: Node<'[]'>, names: Names, compile: Compile): Run {
  const [object, key] = node.args.map((part) => compile(part, names));
  if (!object || !key) throw new SyntaxFault('an index needs a list or map and a key', node.start);
  return (frame) => element(object(frame), key(frame));
}

type Probe = (...args: Parameters<Run>) => Value | undefined;

/** The value at the end of a path of fields; undefined where the path breaks off. */
function compileProbe(node: ASTNode, names: Names, compile: Compile): Probe {
  const root = node.op === '.' ? compileRoot(node, names) : undefined;
  if (root) return root;
  if (node.op !== '.') return compile(node, names);
  const [object, key] = node.args;
  const probe = compileProbe(object, names, compile);
  return (frame) => {
    const value = probe(frame);
    return isMap(value) ? member(value, key) : undefined;
  };
}

/** `has(a.b.c)`: is the whole path there? CEL asks for the last step only, and fails on the others. */
export function compileHas(node: Node<'call'>, names: Names, compile: Compile): Run {
  const [, [path, ...rest]] = node.args;
  if (path?.op !== '.' || rest.length > 0) {
    throw new SyntaxFault('has(…) takes one path of fields, such as has(item.name)', node.start);
  }
  const probe = compileProbe(path, names, compile);
  return (frame) => probe(frame) !== undefined;
}
