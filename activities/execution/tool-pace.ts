import type { PlanOutline, ToolBinding } from '../../domain/plan-outline.ts';

/** Which tools answer within milliseconds, as this process has seen it. */
export interface ToolPace {
  observe(tool: string, milliseconds: number): void;
  isQuick(tool: string): boolean;
}

const quickMs = 50;
const quickCalls = 20;
const mostCalls = 40;

/** One slow call in a long row of quick ones is forgiven, a second one is not. */
export function createToolPace(): ToolPace {
  const quickInARow = new Map<string, number>();
  return {
    observe(tool, milliseconds) {
      const before = quickInARow.get(tool) ?? 0;
      const now = milliseconds <= quickMs ? Math.min(mostCalls, before + 1) : Math.floor(before / 2);
      quickInARow.set(tool, now);
    },
    isQuick: (tool) => (quickInARow.get(tool) ?? 0) >= quickCalls,
  };
}

/**
 * Marks the tools whose tasks may share an activity. While it lasts nothing follows the tasks in it that have ended, and
 * what its worker's death interrupts is repeated: so the tools must be quick, and none that must not run twice.
 */
export function markQuickTools(outline: PlanOutline, pace: ToolPace): PlanOutline {
  const mark = (name: string, binding: ToolBinding): ToolBinding => {
    const { execution, effect, workerClass } = binding;
    const mayShare = execution === 'activity' && effect !== 'once' && workerClass === 'tools';
    return mayShare && pace.isQuick(name) ? { ...binding, quick: true } : binding;
  };
  const tools = Object.entries(outline.tools).map(([name, binding]) => [name, mark(name, binding)] as const);
  return { ...outline, tools: Object.fromEntries(tools) };
}
