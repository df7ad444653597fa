import { jsonSchema } from '../../domain/schemas/common.ts';
import type { MapTask, ToolTask } from '../../domain/schemas/plan.ts';
import type { SourceReader } from '../source-reader.ts';

export interface TaskBuilders {
  /** Runs a script of scripts/ in the sandbox, which has the directory at /repo. */
  shell(id: string, title: string, options: { readonly script: string; readonly stdin?: string }): Promise<ToolTask>;
  /** The same for each item of a list. */
  shellMap(
    id: string,
    title: string,
    options: { readonly script: string; readonly over: string; readonly stdin: string },
  ): Promise<MapTask>;
  /** Calls a function of scripts/. */
  compute(
    id: string,
    title: string,
    options: { readonly script: string; readonly input: Record<string, unknown> },
  ): Promise<ToolTask>;
}

/** The kinds of task that repo-report is made of. */
export function createTaskBuilders(source: SourceReader): TaskBuilders {
  const shellCall = async (
    script: string,
    stdin?: string,
  ): Promise<Pick<ToolTask, 'kind' | 'tool' | 'input' | 'timeoutSeconds' | 'retry'>> => ({
    kind: 'tool',
    tool: 'shell.run',
    input: {
      command: await source.shell('scripts/prelude.sh', `scripts/${script}`),
      ...(stdin === undefined ? {} : { stdin }),
      mounts: [{ path: '{{ params.directory }}', at: '/repo', mode: 'ro' }],
    },
    timeoutSeconds: 300,
    retry: { maxAttempts: 2 },
  });
  return {
    shell: async (id, title, { script, stdin }) => ({ id, title, ...(await shellCall(script, stdin)) }),
    shellMap: async (id, title, { script, over, stdin }) => ({
      id,
      title,
      kind: 'map',
      over,
      maxConcurrency: 4,
      task: await shellCall(script, stdin),
    }),
    compute: async (id, title, { script, input }) => ({
      id,
      title,
      kind: 'tool',
      tool: 'code.javascript',
      input: { code: await source.javascript(`scripts/${script}`), input: jsonSchema.parse(input) },
      // A function of its input: a second attempt would end the same way.
      retry: { maxAttempts: 1 },
    }),
  };
}
