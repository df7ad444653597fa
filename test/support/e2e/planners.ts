import { setTimeout as delay } from 'node:timers/promises';
import { definePlanner, type ReplanContext } from '../../../activities/planner/define-planner.ts';
import type { Json } from '../../../domain/json.ts';
import type { Task } from '../../../domain/schemas/plan.ts';

const say = (id: string, input: Json): Task => ({
  id,
  kind: 'tool',
  tool: 'code.javascript',
  input: { code: '(value) => value', input },
});

/** Planners in code: one that mends, one that never has an idea, and some that are broken. */
export const planners = [
  /** Replaces the failed task by one that says what the planner was told. */
  definePlanner({
    name: 'mender',
    async replan({ failure, attempt, limit, tasks, refusal, objective, input, signal }) {
      await delay(typeof input['plannerMs'] === 'number' ? input['plannerMs'] : 0, undefined, { signal });
      const done = tasks
        .filter(({ status }) => status === 'completed')
        .map(({ id, output = null }) => ({ id, output }));
      const told = { objective, code: failure.code, attempt, limit, done, refusal };
      return { replace: [say(failure.taskId, told)], reason: `${failure.taskId} failed with ${failure.code}` };
    },
  }),
  definePlanner({ name: 'idle', replan: () => null }),
  /** Replaces what fails by what fails. */
  definePlanner({
    name: 'stubborn',
    replan: ({ failure, attempt }: ReplanContext) => ({
      replace: [
        {
          id: failure.taskId,
          kind: 'tool',
          tool: 'shell.run',
          input: { command: `exit ${attempt}` },
          retry: { maxAttempts: 1 },
        },
      ],
    }),
  }),
  /** Answers, try after try: no change, one to nothing, one that leaves the failed task, and at last one that mends. */
  definePlanner({
    name: 'rubbish',
    replan: ({ failure, attempt, refusal }: ReplanContext) => {
      const answers: unknown[] = [
        'a song',
        { remove: ['nobody'] },
        { add: [say('more', 1)] },
        { replace: [say(failure.taskId, { refusal })] },
      ];
      // What types forbid a model may answer all the same.
      return answers[attempt - 1] as null;
    },
  }),
  definePlanner({
    name: 'broken',
    timeoutSeconds: 1,
    replan({ attempt }) {
      if (attempt === 1) throw new Error('out of ideas');
      return new Promise(() => undefined);
    },
  }),
];
