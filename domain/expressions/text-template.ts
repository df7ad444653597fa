import { AstraError } from '../errors.ts';
import { createBoundedCache } from './bounded-cache.ts';
import { parseExpression, shown, type Expression } from './parse-expression.ts';

/** Text with `{{ expressions }}` in it: its parts in order. */
export type TextTemplate = readonly (string | Expression)[];

const cache = createBoundedCache<TextTemplate>(4 * 1024 * 1024);

export const hasExpression = (text: string): boolean => text.includes('{{');

/**
 * Splits a text at its `{{ … }}`. `\{{` stands for a literal `{{`. Answers are cached.
 * @throws ASTRA_EXPRESSION_FAILED when a `{{` is not closed or what it holds is no expression
 */
export function parseTextTemplate(text: string): TextTemplate {
  return cache.get(text, () => {
    const parts: (string | Expression)[] = [];
    let literal = '';
    let rest = 0;
    for (;;) {
      const open = text.indexOf('{{', rest);
      if (open === -1) break;
      if (text[open - 1] === '\\' && open > rest) {
        literal += `${text.slice(rest, open - 1)}{{`;
        rest = open + 2;
        continue;
      }
      literal += text.slice(rest, open);
      if (literal !== '') parts.push(literal);
      literal = '';
      const close = findClose(text, open + 2);
      parts.push(parseExpression(text.slice(open + 2, close).trim()));
      rest = close + 2;
    }
    literal += text.slice(rest);
    if (literal !== '') parts.push(literal);
    return parts;
  });
}

/** The `}}` that ends the expression begun at `start`: not one inside of a string or of a map. */
function findClose(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"' || char === "'") at = endOfString(text, at);
    else if (char === '{') depth += 1;
    else if (char === '}' && depth > 0) depth -= 1;
    else if (char === '}' && text[at + 1] === '}') return at;
  }
  throw new AstraError(
    'ASTRA_EXPRESSION_FAILED',
    `The {{ in ${shown(text.slice(start - 2))} is never closed; add }}, or write \\{{ for a literal {{.`,
  );
}

function endOfString(text: string, start: number): number {
  const quote = text[start] ?? '';
  const delimiter = text.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  // In raw strings (r'…') a backslash escapes nothing, but as in cel-js a quote after it does not end the string.
  for (let at = start + delimiter.length; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text.startsWith(delimiter, at)) return at + delimiter.length - 1;
  }
  return text.length;
}
