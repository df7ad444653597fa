import { addDecimals } from '../../domain/decimal.ts';
import type { ToolUsage } from '../tools/define-tool.ts';

/** Adds up what one attempt reports. */
export interface UsageMeter {
  /** Null: nothing was reported. */
  readonly total: ToolUsage | null;
  add(usage: ToolUsage): void;
}

export function createUsageMeter(): UsageMeter {
  let total: ToolUsage | null = null;
  return {
    get total() {
      return total;
    },
    add(more) {
      const { usd, tokens } = total ?? { usd: '0', tokens: 0 };
      total = { usd: addDecimals(usd, more.usd), tokens: tokens + countOf(more.tokens) };
    },
  };
}

/** Tools are anybody's: what is no number of tokens counts as none, as text that is no amount does. */
const countOf = (tokens: number): number => (Number.isSafeInteger(tokens) && tokens > 0 ? tokens : 0);
