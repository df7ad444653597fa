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
import type { ToolPace } from './tool-pace.ts';
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
  /** Has the tool take back what the call has done. @throws as `run` */
  compensate(call: ToolCall & { readonly output: Json }, attempt: Omit<ToolAttempt, 'meter'>): Promise<void>;
  /** What the call may cost. */
  estimate(call: ToolCall): ToolEstimate;
}

export interface ToolAttempt {
  readonly ref: TaskRef;
  /** How often the task has begun anew. */
  readonly run: number;
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
  readonly pace: ToolPace;
}

export function createToolRunner(deps: Deps): ToolRunner {
  const { tools, inlinePool, answers, pace } = deps;

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
    async run(toolCall, { ref, run, attempt, timeoutSeconds, cancelled, meter }) {
      const tool = toolOf(tools, toolCall.tool);
      const { tenant } = ref.goal;
      const key = { tenant, tool: toolCall.tool, input: toolCall.input };
      const { cacheSeconds } = tool.manifest;
      const cached = cacheSeconds > 0 ? await answers.get(key) : undefined;
      if (cached !== undefined) return { value: cached, artifacts: [] };
      const artifacts: Artifact[] = [];
      const signal = AbortSignal.any([cancelled, AbortSignal.timeout(timeoutSeconds * 1_000)]);
      const context = contextOf(deps, {
        ref,
        run,
        attempt,
        signal,
        onArtifact: (artifact) => artifacts.push(artifact),
        onUsage: meter.add,
      });
      const begun = performance.now();
      const value = await call(tool, toolCall, context, timeoutSeconds).finally(() =>
        pace.observe(toolCall.tool, performance.now() - begun),
      );
      if (cacheSeconds > 0) await answers.set(key, value, { ttlSeconds: cacheSeconds });
      return { value, artifacts };
    },

    async compensate({ tool: name, input, output }, { ref, run, attempt, timeoutSeconds, cancelled }) {
      const tool = toolOf(tools, name);
      if (!tool.compensate)
        throw new AstraError(
          'ASTRA_TOOL_FAILED',
          `On this worker "${name}" has no \`compensate\`; deploy it here too.`,
        );
      const signal = AbortSignal.any([cancelled, AbortSignal.timeout(timeoutSeconds * 1_000)]);
      const ignore = (): void => undefined;
      const context = contextOf(deps, { ref, run, attempt, signal, onArtifact: ignore, onUsage: ignore });
      const effectId = `${context.effectId}/compensation`;
      await orAborted(tool.compensate({ input, output }, { ...context, effectId }), signal);
    },
  };
}

function toolOf(tools: ToolRegistry, name: string): Tool {
  const tool = tools.get(name);
  if (!tool) throw new AstraError('ASTRA_TOOL_FAILED', `This worker has no tool "${name}"; deploy it here too.`);
  return tool;
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
  readonly run: number;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly onArtifact: (artifact: Artifact) => void;
  readonly onUsage: (usage: ToolUsage) => void;
}

function contextOf(
  { artifactsOf, live }: Deps,
  { ref, run, attempt, signal, onArtifact, onUsage }: CallContext,
): ToolContext {
  const { tenant, goalId } = ref.goal;
  const artifacts = artifactsOf(tenant);
  return {
    tenant,
    goalId,
    taskId: ref.taskId,
    attempt,
    effectId: effectIdOf(ref, run),
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
export const effectIdOf = ({ goal, taskId }: TaskRef, run: number): string => `${goal.goalId}/${taskId}/${run}`;
