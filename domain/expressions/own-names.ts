import { SyntaxFault, type Node, type Run, type Vocabulary } from './program.ts';
import { isMap, lift, member } from './value.ts';

const listed = (vocabulary: Vocabulary): string =>
  Object.entries(vocabulary)
    .flatMap(([name, fields]) => (fields === 'any' ? [name] : fields.map((field) => `${name}.${field}`)))
    .join(', ');

/** A name of an expression that has a vocabulary of its own, instead of the names of plans. */
export function compileOwnName({ args: name, start }: Node<'id'>, vocabulary: Vocabulary): Run {
  const known = Object.hasOwn(vocabulary, name) ? vocabulary[name] : undefined;
  if (known === 'any') return ({ scope }) => lift(scope.own?.[name] ?? null);
  const reason = known ? `"${name}" has no value of its own` : `unknown name "${name}"`;
  throw new SyntaxFault(`${reason}: in scope are ${listed(vocabulary)}`, start);
}

/** `goal.labels`, where the vocabulary says which fields `goal` has; undefined for what is none of its names. */
export function compileOwnField(node: Node<'.'>, vocabulary: Vocabulary): Run | undefined {
  const [object, key] = node.args;
  if (object.op !== 'id' || !Object.hasOwn(vocabulary, object.args)) return undefined;
  const name = object.args;
  const fields = vocabulary[name];
  if (fields === undefined || fields === 'any') return undefined;
  if (!fields.includes(key)) {
    throw new SyntaxFault(`"${name}" has no "${key}": in scope are ${listed(vocabulary)}`, node.start);
  }
  return ({ scope }) => {
    const value = scope.own?.[name];
    return (value !== undefined && isMap(value) ? member(value, key) : undefined) ?? null;
  };
}
