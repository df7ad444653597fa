import { measurePaired } from '../harness/paired.ts';
import { median } from '../harness/statistics.ts';
import type { GoalFigure, GoalMeter } from './goal-meter.ts';
import type { Shape } from './shapes.ts';

/** The runs of one shape's goals by their size, the base included. */
export interface ShapeFigures {
  readonly shape: Shape;
  readonly runs: ReadonlyMap<number, readonly GoalFigure[]>;
}

/** Small goals are run more often: one of them is over before the machine has settled. */
const goalsEach = (size: number): number => (size <= 100 ? 10 : size <= 1_000 ? 3 : 1);

/** Runs the shapes' goals in turn, one at a time. */
export async function measureShapes(
  meter: GoalMeter,
  shapes: readonly Shape[],
  { quick }: { readonly quick: boolean },
): Promise<readonly ShapeFigures[]> {
  const figures = shapes.flatMap((shape) => {
    const sizes = quick ? shape.quickSizes : shape.sizes;
    const runs = new Map([shape.base, ...sizes].map((size) => [size, [] as GoalFigure[]]));
    return sizes.length > 0 ? [{ shape, runs }] : [];
  });
  const variants = figures.flatMap(({ shape, runs }) =>
    [...runs].map(([size, taken]) => {
      const run = async (): Promise<number> => {
        for (let goal = 0; goal < goalsEach(size); goal += 1) taken.push(await meter.measure(shape.make(size)));
        return median(taken.map(({ seconds }) => seconds));
      };
      return [`${shape.name} ${size}`, run] as const;
    }),
  );
  const warmUps = 1;
  await measurePaired(Object.fromEntries(variants), { repetitions: quick ? 2 : 4, warmUps });
  // The warm-ups come first.
  for (const { runs } of figures) for (const [size, taken] of runs) taken.splice(0, warmUps * goalsEach(size));
  return figures;
}

export const medianSeconds = ({ runs }: ShapeFigures, size: number): number =>
  median((runs.get(size) ?? []).map(({ seconds }) => seconds));

/** The sizes measured, in ascending order, without the base. */
export const sizesOf = ({ runs, shape }: ShapeFigures): readonly number[] =>
  [...runs.keys()].filter((size) => size !== shape.base);

type TaskTime = (figures: ShapeFigures, size: number) => number;

/** Milliseconds a task, with all that the goal costs. */
export const grossTaskMilliseconds: TaskTime = (figures, size) => (medianSeconds(figures, size) * 1_000) / size;

/** Milliseconds a task, without what a goal costs that has none. */
export const netTaskMilliseconds: TaskTime = (figures, size) => {
  const { base } = figures.shape;
  return ((medianSeconds(figures, size) - medianSeconds(figures, base)) * 1_000) / (size - base);
};

/** How much longer a task takes in the shape's largest goal than in its smallest. */
export function growth(figures: ShapeFigures, taskTime: TaskTime): number {
  const sizes = sizesOf(figures);
  return taskTime(figures, Math.max(...sizes)) / taskTime(figures, Math.min(...sizes));
}
