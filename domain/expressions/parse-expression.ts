import { Environment, ParseError } from '@marcbachmann/cel-js';
import { AstraError } from '../errors.ts';
import { limits } from '../limits.ts';
import { createBoundedCache } from './bounded-cache.ts';
import { compile } from './compile.ts';
import { SyntaxFault, type LocalName, type Run, type Vocabulary } from './program.ts';

/** A CEL expression, ready to be evaluated. */
export interface Expression {
  readonly text: string;
  /** Ids of the tasks whose outputs it reads. */
  readonly tasks: ReadonlySet<string>;
  /** Which of the names it uses that are in scope in some places only. */
  readonly locals: ReadonlySet<LocalName>;
  /** Inside of domain/expressions only; others evaluate through domain/expressions.ts. */
  readonly run: Run;
}

/**
 * cel-js parses; Astra evaluates the syntax tree itself. Evaluated by cel-js, plans that are untrusted could stall or
 * kill a worker (`matches` runs JavaScript's backtracking regular expressions, and nothing bounds nested
 * comprehensions), it keeps a type for ever for each shape of data it has seen, and JSON is not CEL's data: every number
 * would be a double, and lists of mixed types fail.
 */
const parser = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: limits.expressionNodes, maxDepth: 50 },
});

/**
 * A function that parses and compiles expressions, and keeps its answers.
 * @param vocabulary the names in scope; those of plans unless given
 * @throws (from the function) ASTRA_EXPRESSION_FAILED with the place and the reason
 */
export function createParse(vocabulary?: Vocabulary): (text: string) => Expression {
  const cache = createBoundedCache<Expression>(1024 * 1024);
  return (text) =>
    cache.get(text, () => {
      if (text.length > limits.expressionChars) {
        throw new AstraError(
          'ASTRA_EXPRESSION_FAILED',
          `The expression is longer than ${limits.expressionChars} characters.`,
        );
      }
      const tasks = new Set<string>();
      const locals = new Set<LocalName>();
      try {
        const run = compile(parser.parse(text).ast, { variables: [], tasks, locals, vocabulary });
        return { text, tasks, locals, run };
      } catch (error) {
        throw syntaxError(text, error);
      }
    });
}

/** An expression of a plan. @throws ASTRA_EXPRESSION_FAILED with the place and the reason */
export const parseExpression = createParse();

const shownChars = 100;

/** The expression as messages show it. */
export function shown(text: string): string {
  return JSON.stringify(text.length > shownChars ? `${text.slice(0, shownChars)}…` : text);
}

function syntaxError(text: string, error: unknown): unknown {
  const fail = (reason: string, position?: number): AstraError => {
    const place = position === undefined ? '' : `, at character ${position + 1}`;
    return new AstraError('ASTRA_EXPRESSION_FAILED', `The expression ${shown(text)} is not valid${place}: ${reason}.`);
  };
  if (text.trimStart().startsWith('{{')) return fail('an expression stands without {{ }} here', 0);
  if (error instanceof SyntaxFault) return fail(error.message, error.position);
  if (error instanceof ParseError) return fail(error.summary, error.range?.start);
  // The recursive parser met a text such as thousands of `!`.
  if (error instanceof RangeError) return fail('it is nested too deeply');
  return error;
}
