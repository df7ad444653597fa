import type { TextStream } from '../io.ts';
import { clean } from '../text/clean.ts';
import type { Paint } from '../text/paint.ts';
import { terminalWidth } from '../text/terminal-width.ts';
import { renderFrame, type Scene } from './goal-frame.ts';
import { createLiveScreen } from './live-screen.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { orderTasks } from './task-order.ts';

const frameMs = 120;
const fallbackRows = 24;
const fallbackColumns = 80;

/** The task tree, redrawn in place. */
export function createTreeDisplay(stream: TextStream, paint: Paint): ProgressDisplay {
  const screen = createLiveScreen(stream);
  const liveLines = new Map<string, string>();
  let scene: Scene | null = null;
  let tick = 0;
  const draw = (): void => {
    if (!scene) return;
    // The cursor stands below the frame, and a frame must not scroll.
    const { rows = 0 } = stream;
    const height = Math.max(5, rows > 0 ? rows - 1 : fallbackRows);
    const width = terminalWidth(stream) ?? fallbackColumns;
    screen.draw(renderFrame(scene, { paint, width, height, now: Date.now(), tick }));
  };
  const timer = setInterval(() => {
    tick += 1;
    draw();
  }, frameMs);
  return {
    show(update) {
      if (update.type === 'task.progress') {
        const line = update.text
          .split(/[\r\n]/)
          .map(clean)
          .findLast((text) => text !== '');
        if (line !== undefined) liveLines.set(update.taskId, line);
        return;
      }
      const first = scene === null;
      const { goal, graph } = update;
      scene = { goal, order: orderTasks(graph ?? { tasks: [] }), eta: graph?.eta ?? null, liveLines };
      if (first) draw();
    },
    ask(lines) {
      screen.print(lines);
      draw();
    },
    close() {
      clearInterval(timer);
      draw();
      screen.close();
    },
  };
}
