import type { TextStream } from '../io.ts';

const escape = '\u001B[';
const hideCursor = `${escape}?25l`;
const showCursor = `${escape}?25h`;
/** While a frame is drawn, a line too long is cut by the terminal: a wrapped one would shift all that follows. */
const wrapOff = `${escape}?7l`;
const wrapOn = `${escape}?7h`;
const clearToLineEnd = `${escape}K`;
const clearBelow = `${escape}J`;

export interface LiveScreen {
  /** Puts these lines where the last ones were, in one write so that nothing flickers. */
  draw(lines: readonly string[]): void;
  /** Puts lines above the frame for good, whole: one too long is wrapped. */
  print(lines: readonly string[]): void;
  /** Leaves the last frame on the screen and gives the cursor back. */
  close(): void;
}

export function createLiveScreen(stream: TextStream): LiveScreen {
  let drawn = 0;
  let hidden = false;
  return {
    draw(lines) {
      const back = drawn === 0 ? '' : `${escape}${drawn}A`;
      const text = lines.map((line) => `${line}${clearToLineEnd}\n`).join('');
      stream.write(`${hidden ? '' : hideCursor}${wrapOff}${back}\r${text}${clearBelow}${wrapOn}`);
      hidden = true;
      drawn = lines.length;
    },
    print(lines) {
      const back = drawn === 0 ? '' : `${escape}${drawn}A`;
      stream.write(`${back}\r${clearBelow}${lines.map((line) => `${line}\n`).join('')}`);
      drawn = 0;
    },
    close() {
      if (hidden) stream.write(showCursor);
      hidden = false;
    },
  };
}
