import fc from 'fast-check';
import type { TaskOutline } from '../../domain/plan-outline.ts';

/** Random plans without cycles, in an order of writing that is not their order of dependency. */
export const randomTasks = (maxTasks = 24): fc.Arbitrary<TaskOutline[]> =>
  fc
    .array(
      fc.record({
        dependencies: fc.array(fc.nat(), { maxLength: 4 }),
        onFailure: fc.option(fc.constant('continue' as const), { nil: undefined }),
        inline: fc.boolean(),
        place: fc.nat(),
      }),
      { maxLength: maxTasks },
    )
    .map((seeds) =>
      seeds
        .map(({ dependencies, onFailure, inline, place }, index) => ({
          place,
          task: {
            id: `t${index}`,
            kind: inline ? ('tool' as const) : ('wait' as const),
            after: index === 0 ? [] : [...new Set(dependencies.map((seed) => `t${seed % index}`))],
            ...(onFailure && { onFailure }),
          },
        }))
        .sort((a, b) => a.place - b.place)
        .map(({ task }) => task),
    );
