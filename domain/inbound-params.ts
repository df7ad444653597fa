import { AstraError, type Fault } from './errors.ts';
import { parseExpression, type LocalName } from './expressions.ts';

const inScope: ReadonlySet<LocalName> = new Set(['payload', 'headers']);

/** What is wrong with the expression that makes a template's parameters of a message. */
export function checkInboundParams(text: string): Fault[] {
  const pointer = '/params';
  try {
    const { tasks, locals } = parseExpression(text);
    const strange = [...[...tasks].map((id) => `tasks.${id}`), ...[...locals].filter((name) => !inScope.has(name))];
    return strange.map((name) => ({ pointer, message: `"${name}" is not in scope here: payload and headers are` }));
  } catch (error) {
    if (!(error instanceof AstraError)) throw error;
    return [{ pointer, message: error.message }];
  }
}
