import { stripVTControlCharacters } from 'node:util';

/**
 * Text of tasks, goals and errors as one line for the terminal. It may come from anywhere (a tool's output, a model), so
 * escape sequences and control characters must not reach the terminal.
 */
export const clean = (text: string): string =>
  stripVTControlCharacters(text)
    .replaceAll(/\s+/g, ' ')

    .replaceAll(/[\u0000-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, '')
    .trim();

const graphemes = new Intl.Segmenter();

/** At most `width` characters; an ellipsis tells what was cut. */
export function truncate(text: string, width: number): string {
  // A character has at least one code unit: most texts are short enough without counting.
  if (text.length <= width) return text;
  const characters = Array.from(graphemes.segment(text), ({ segment }) => segment);
  if (characters.length <= width) return text;
  return width <= 1 ? '…'.slice(0, width) : `${characters.slice(0, width - 1).join('')}…`;
}
