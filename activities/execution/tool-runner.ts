import { AstraError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import type { ToolEstimate } from '../../domain/schemas/tool.ts';
import type { AnswerCache } from '../../stores/cache/answer-cache.ts';
import type { LivePublisher } from '../../stores/cache/live-publisher.ts';
import type { TaskRef } from '../contract.ts';
import { abortError } from '../tools/abort-error.ts';
import type { Tool, ToolArtifacts, ToolContext, ToolUsage } from '../tools/define-tool.ts';
import type { InlinePool } from '../tools/inline-pool.ts';
import type { ToolRegistry } from '../tools/registry.ts';
import type { ToolCall } from './tool-call.ts';
import type { UsageMeter } from './usage-meter.ts';

export interface ToolResult {
  readonly value: Json;
  /** What the call stored, to be recorded with its end. */
  readonly artifacts: readonly Artifact[];
}

export interface ToolRunner {
  /**
   * Calls a tool: from the answer cache, in the thread pool, or here.
   * @throws AstraError with the tool's code; ASTRA_TOOL_TIMEOUT; ASTRA_CANCELLED
   */
  run(call: ToolCall, attempt: ToolAttempt): Promise<ToolResult>;
  /** What the call may cost. */
  estimate(call: ToolCall): ToolEstimate;
}

export interface ToolAttempt {
  readonly ref: TaskRef;
  readonly attempt: number;
  readonly timeoutSeconds: number;
  readonly cancelled: AbortSignal;
  /** Told what the tool reports, also by one that then fails. */
  readonly meter: UsageMeter;
}

interface Deps {
  readonly tools: ToolRegistry;
  readonly inlinePool: InlinePool;
  readonly answers: AnswerCache;
  readonly live: LivePublisher;
  readonly artifactsOf: (tenant: string) => ToolArtifacts;
}

export function createToolRunner(deps: Deps): ToolRunner {
  const { tools, inlinePool, answers } = deps;

  async function call(tool: Tool, { input }: ToolCall, context: ToolContext, timeoutSeconds: number): Promise<Json> {
    if (tool.manifest.execution === 'inline') {
      const answer = await inlinePool.run(tool.manifest.name, input, {
        sliceMs: timeoutSeconds * 1_000,
        signal: context.signal,
      });
      if ('output' in answer) return answer.output;
      if (answer.deferred === 'overrun') throw timeoutError(tool.manifest.name, timeoutSeconds);
    }
    return await orAborted(tool.run(input, context), context.signal);
  }

  return {
    estimate: ({ tool, input }) => tools.get(tool)?.estimate(input) ?? {},
    async run(toolCall, { ref, attempt, timeoutSeconds, cancelled, meter }) {
      const tool = tools.get(toolCall.tool);
      if (!tool)
        throw new AstraError('ASTRA_TOOL_FAILED', `This worker has no tool "${toolCall.tool}"; deploy it here too.`);
      const { tenant } = ref.goal;
      const key = { tenant, tool: toolCall.tool, input: toolCall.input };
      const { cacheSeconds } = tool.manifest;
      const cached = cacheSeconds > 0 ? await answers.get(key) : undefined;
      if (cached !== undefined) return { value: cached, artifacts: [] };
      const artifacts: Artifact[] = [];
      const signal = AbortSignal.any([cancelled, AbortSignal.timeout(timeoutSeconds * 1_000)]);
      const context = contextOf(deps, {
        ref,
        attempt,
        signal,
        onArtifact: (artifact) => artifacts.push(artifact),
        onUsage: meter.add,
      });
      const value = await call(tool, toolCall, context, timeoutSeconds);
      if (cacheSeconds > 0) await answers.set(key, value, { ttlSeconds: cacheSeconds });
      return { value, artifacts };
    },
  };
}

const timeoutError = (tool: string, seconds: number): AstraError =>
  new AstraError(
    'ASTRA_TOOL_TIMEOUT',
    `"${tool}" did not finish within ${seconds} s; raise the task's timeoutSeconds.`,
  );

/** A tool that ignores its signal is left behind; its late answer is dropped. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(abortError(signal));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

interface CallContext {
  readonly ref: TaskRef;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly onArtifact: (artifact: Artifact) => void;
  readonly onUsage: (usage: ToolUsage) => void;
}

function contextOf(
  { artifactsOf, live }: Deps,
  { ref, attempt, signal, onArtifact, onUsage }: CallContext,
): ToolContext {
  const { tenant, goalId } = ref.goal;
  const artifacts = artifactsOf(tenant);
  return {
    tenant,
    goalId,
    taskId: ref.taskId,
    attempt,
    effectId: effectIdOf(ref),
    signal,
    progress: ({ stream, text }) => live.publish(ref.goal, { taskId: ref.taskId, attempt, stream, text }),
    reportUsage: onUsage,
    artifacts: {
      read: (which, options) => artifacts.read(which, options),
      async write(artifact) {
        const written = await artifacts.write(artifact);
        onArtifact(written);
        return written;
      },
    },
  };
}

/** `goal/task/run`: what the outside sees as idempotency key. */
export const effectIdOf = ({ goal, taskId }: TaskRef): string => `${goal.goalId}/${taskId}/1`;
