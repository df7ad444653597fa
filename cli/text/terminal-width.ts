import type { TextStream } from '../io.ts';

/** Columns of the terminal; undefined where there is none, or none that knows its size (it says 0 then). */
export const terminalWidth = ({ columns = 0 }: TextStream): number | undefined => (columns > 0 ? columns : undefined);
