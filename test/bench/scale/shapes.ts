import type { GoalSubmission } from '../../../domain/schemas/goal.ts';
import { chainOf, mapOf, scriptCall, wideOf, type Call } from '../workloads.ts';

/** Goals of one form in several sizes. */
export interface Shape {
  readonly name: string;
  /** A goal of this size has all that a goal costs and next to no tasks. */
  readonly base: number;
  /** In ascending order. */
  readonly sizes: readonly number[];
  /** For a quick run; none: left out of it. */
  readonly quickSizes: readonly number[];
  make(size: number): GoalSubmission;
}

/** Of test/bench/execution/tools.ts; its items show what Astra itself costs. */
const nothing: Call = { tool: 'bench.pure' };

export const shapes: readonly Shape[] = [
  {
    name: 'map',
    base: 0,
    sizes: [100, 1_000, 10_000, 50_000],
    quickSizes: [1_000, 10_000],
    make: (size) => mapOf(size, nothing),
  },
  {
    name: 'map of scripts',
    base: 0,
    sizes: [100, 1_000, 10_000],
    quickSizes: [],
    make: (size) => mapOf(size, scriptCall),
  },
  {
    name: 'wide graph',
    base: 1,
    sizes: [100, 1_000, 10_000],
    quickSizes: [300, 3_000],
    make: (size) => wideOf(size, nothing),
  },
  {
    name: 'chain',
    base: 1,
    sizes: [100, 1_000, 10_000],
    quickSizes: [300, 3_000],
    make: (size) => chainOf(size, nothing),
  },
];
