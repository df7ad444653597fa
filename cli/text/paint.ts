import { styleText } from 'node:util';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Paint = (style: Style, text: string) => string;

export const createPaint = (enabled: boolean): Paint => {
  if (!enabled) return (_style, text) => text;
  // The caller has decided; the stream is not asked again.
  return (style, text) => (text === '' ? '' : styleText(style, text, { validateStream: false }));
};
