import type { ErrorCode } from './errors.ts';
import type { PauseOn } from './schemas/pause.ts';

/** What a tool's attempt fails with when whatever it calls is away. One says little; so many in a row say it. */
const awayCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'ASTRA_UNAVAILABLE',
  'ASTRA_RATE_LIMITED',
  'ASTRA_OVERLOADED',
  'ASTRA_TOOL_FAILED',
  'ASTRA_TOOL_TIMEOUT',
  'ASTRA_MODEL_FAILED',
]);
const outageAttempts = 5;

/** What a policy has counted. */
export interface PauseTally {
  readonly completed: number;
  readonly failed: number;
  /** By tool: attempts in a row that found its provider away. */
  readonly away: { readonly [tool: string]: number };
}

const emptyTally: PauseTally = { completed: 0, failed: 0, away: {} };

/** A goal's own rules for pausing, and what they count. Those that say it is to be paused say why. */
export interface PausePolicy {
  readonly on: PauseOn;
  readonly tally: PauseTally;
  onEnds(ended: { readonly completed: number; readonly failed: number }): string | null;
  /** @param code what the attempt failed with; null: it succeeded */
  onAttempt(tool: string, code: string | null): string | null;
  /** Counts anew: people have seen to what was wrong. */
  restart(): void;
}

/** @param counted what an earlier run of the goal has counted */
export function createPausePolicy(on: PauseOn, counted: PauseTally = emptyTally): PausePolicy {
  let tally = counted;
  return {
    on,
    get tally() {
      return tally;
    },
    onEnds(ended) {
      tally = { ...tally, completed: tally.completed + ended.completed, failed: tally.failed + ended.failed };
      return failureReason(on, tally);
    },
    onAttempt(tool, code) {
      if (!on.outage) return null;
      const inARow = code !== null && awayCodes.has(code) ? (tally.away[tool] ?? 0) + 1 : 0;
      tally = { ...tally, away: { ...tally.away, [tool]: inARow } };
      if (inARow < outageAttempts) return null;
      return `The last ${inARow} attempts at ${tool} failed, the last one with ${code}.`;
    },
    restart() {
      tally = emptyTally;
    },
  };
}

function failureReason({ failureRate }: PauseOn, { completed, failed }: PauseTally): string | null {
  const ended = completed + failed;
  if (!failureRate || ended < failureRate.atLeast || failed / ended <= failureRate.over) return null;
  return `${failed} of ${ended} tasks and items failed.`;
}
