import { z } from 'zod';
import { AstraError, type Fault } from '../../domain/errors.ts';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import { jsonObjectSchema, type Usage } from '../../domain/schemas/common.ts';
import { faultsOf, parseWith, tryParse } from '../../domain/schemas/parse.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { toolEstimateSchema, toolManifestSchema } from '../../domain/schemas/tool.ts';
import type { ToolEstimate, ToolManifest } from '../../domain/schemas/tool.ts';
import { abortError } from './abort-error.ts';
import { Deferral } from './deferral.ts';
import { toJson } from './to-json.ts';

/** What a tool may use while it runs. */
export interface ToolContext {
  readonly tenant: string;
  readonly goalId: string;
  readonly taskId: string;
  readonly attempt: number;
  /** Stable over attempts: hand it to the outside as idempotency key. */
  readonly effectId: string;
  /** Aborted on cancel and on time-out. Pass it on to everything that waits. */
  readonly signal: AbortSignal;
  /** Tells the live lane; may be lost. */
  readonly progress: (chunk: { readonly stream: 'stdout' | 'stderr' | 'text' | 'log'; readonly text: string }) => void;
  /** What the call has cost; adds up. A tool that never calls it cost nothing but time. */
  readonly reportUsage: (usage: ToolUsage) => void;
  readonly artifacts: ToolArtifacts;
}

/** Money in USD as a decimal string, and model tokens. */
export type ToolUsage = Pick<Usage, 'usd' | 'tokens'>;

/** Artifacts as tools see them: always the tenant's own. */
export interface ToolArtifacts {
  write(artifact: { readonly name: string; readonly mediaType: string; readonly bytes: Uint8Array }): Promise<Artifact>;
  /** @throws ASTRA_TOOL_INPUT_INVALID when the tenant has no such artifact. */
  read(
    ref: { readonly id: string } | { readonly sha256: string },
    options: { readonly maxBytes: number },
  ): Promise<ArtifactBytes>;
}
export interface ArtifactBytes {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly truncated: boolean;
}

export interface ToolDefinition<Input, Output> {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodType<Input>;
  readonly output: z.ZodType<Output>;
  readonly effect: ToolManifest['effect'];
  readonly risk: ToolManifest['risk'];
  readonly workerClass?: ToolManifest['workerClass'];
  readonly execution?: ToolManifest['execution'];
  readonly timeoutSeconds?: number;
  readonly cacheSeconds?: number;
  /** What a call may cost at most; reserved in budgets before it. */
  readonly estimate?: ToolEstimate;
  /** The same where the input says more. */
  readonly estimateCall?: (input: Input) => ToolEstimate;
  /** Fails by throwing `AstraError` with the tool's code; anything else counts as ASTRA_TOOL_FAILED. */
  readonly run: (input: Input, context: ToolContext) => Promise<Output> | Output;
  /**
   * Takes back what a call that completed has done, when its goal is cancelled with `compensate`. It may run more than once, and
   * after its effect has gone: `context.effectId` is the call's with `/compensation`, the same at every attempt. `output` is as
   * it was recorded.
   */
  readonly compensate?: (
    call: { readonly input: Input; readonly output: Output },
    context: ToolContext,
  ) => Promise<void> | void;
}

/** A tool ready to run: its manifest, and a `run` that checks input and output against it. */
export interface Tool {
  readonly manifest: ToolManifest;
  /** @throws ASTRA_TOOL_INPUT_INVALID with a pointer for each fault; ASTRA_TOOL_OUTPUT_INVALID */
  run(input: JsonObject, context: ToolContext): Promise<Json>;
  /** Of a tool whose manifest says `compensable`. @throws as `run` */
  compensate?(call: { readonly input: JsonObject; readonly output: Json }, context: ToolContext): Promise<void>;
  /** What a call with this input may cost. @throws ASTRA_TOOL_OUTPUT_INVALID */
  estimate(input: JsonObject): ToolEstimate;
}

const longestMessage = 2_000;

/**
 * A tool from its schemas and its `run`. Unknown fields at the top of the input are refused, whether the schema is
 * strict or not; an abort of `context.signal` becomes ASTRA_TOOL_TIMEOUT or ASTRA_CANCELLED, whatever `run` makes of it.
 * @throws ASTRA_PARAMETER_INVALID when the definition itself is wrong.
 */
export function defineTool<Input, Output>(definition: ToolDefinition<Input, Output>): Tool {
  const inputSchema = strict(definition.input);
  const manifest = manifestOf(definition, inputSchema);
  const { name } = manifest;
  const { compensate } = definition;
  return {
    manifest,
    async run(json, context) {
      const input = checkInput(inputSchema, name, json);
      return checkOutput(definition, await attempt(() => definition.run(input, context), name, context.signal));
    },
    ...(compensate && {
      async compensate(call, context) {
        const input = checkInput(inputSchema, name, call.input);
        // It was checked against the schema when it was recorded.
        const output = call.output as Output;
        await attempt(() => compensate({ input, output }, context), name, context.signal);
      },
    }),
    estimate(input) {
      const fixed = manifest.estimate ?? {};
      const parsed = definition.estimateCall ? tryParse(inputSchema, input) : null;
      if (!parsed?.ok) return fixed;
      const ofCall = definition.estimateCall?.(parsed.data);
      const problem = `What ${name} estimates of a call is not valid`;
      return parseWith(toolEstimateSchema, { ...fixed, ...ofCall }, 'ASTRA_TOOL_OUTPUT_INVALID', problem);
    },
  };
}

function checkInput<Input>(schema: z.ZodType<Input>, tool: string, input: JsonObject): Input {
  const parsed = tryParse(schema, input);
  if (parsed.ok) return parsed.data;
  const { faults } = parsed;
  const text = faults.map(({ pointer, message }) => `${pointer || '/'}: ${message}`).join('; ');
  throw new AstraError('ASTRA_TOOL_INPUT_INVALID', bounded(`The input of ${tool} is not valid: ${text}`), { faults });
}

type Described = Omit<ToolDefinition<never, unknown>, 'input' | 'run' | 'compensate'> & {
  readonly compensate?: unknown;
};

function manifestOf(definition: Described, inputSchema: z.ZodType): ToolManifest {
  const parsed = tryParse(toolManifestSchema, {
    name: definition.name,
    description: definition.description,
    inputSchema: jsonSchemaOf(inputSchema, 'input'),
    outputSchema: jsonSchemaOf(definition.output, 'output'),
    workerClass: definition.workerClass ?? 'tools',
    execution: definition.execution ?? 'activity',
    effect: definition.effect,
    risk: definition.risk,
    timeoutSeconds: definition.timeoutSeconds ?? 60,
    cacheSeconds: definition.cacheSeconds ?? 0,
    ...(definition.compensate !== undefined && { compensable: true }),
    ...(definition.estimate && { estimate: definition.estimate }),
  });
  const faults = [...parsed.faults, ...contradictions(definition)];
  if (parsed.ok && faults.length === 0) return parsed.data;
  const text = faults.map(({ pointer, message }) => `${pointer}: ${message}`).join('; ');
  throw new AstraError('ASTRA_PARAMETER_INVALID', `The tool ${definition.name} is not valid: ${text}`, { faults });
}

function contradictions({
  execution,
  effect,
  cacheSeconds = 0,
  compensate,
}: Pick<Described, 'execution' | 'effect' | 'cacheSeconds' | 'compensate'>): Fault[] {
  const faults: Fault[] = [];
  // A segment may run an inline tool again after a crash without a trace of the first time.
  if (execution === 'inline' && effect !== 'none') {
    faults.push({ pointer: '/effect', message: 'an inline tool must have the effect "none"' });
  }
  if (effect !== 'none' && cacheSeconds > 0) {
    faults.push({ pointer: '/cacheSeconds', message: 'only answers of tools without effect may be reused' });
  }
  if (effect === 'none' && compensate !== undefined) {
    faults.push({ pointer: '/compensate', message: 'a tool without effect has nothing to take back' });
  }
  return faults;
}

/** An author's `z.object` would drop a misspelt field in silence. */
function strict<Input>(schema: z.ZodType<Input>): z.ZodType<Input> {
  if (!(schema instanceof z.ZodObject) || schema.def.catchall !== undefined) return schema;
  // The strict object has the same input and output types; only unknown keys fare differently.
  return schema.strict() as unknown as z.ZodType<Input>;
}

function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return jsonObjectSchema.parse(JSON.parse(JSON.stringify(rest)));
}

async function attempt<Output>(
  run: () => Promise<Output> | Output,
  name: string,
  signal: AbortSignal,
): Promise<Output> {
  if (signal.aborted) throw abortError(signal);
  try {
    return await run();
  } catch (error) {
    if (error instanceof Deferral) throw error;
    if (signal.aborted) throw abortError(signal, { cause: error });
    if (error instanceof AstraError) throw error;
    const text = error instanceof Error ? error.message : String(error);
    throw new AstraError('ASTRA_TOOL_FAILED', bounded(`${name} failed: ${text}`), { cause: error });
  }
}

function checkOutput(definition: Pick<ToolDefinition<never, unknown>, 'name' | 'output'>, output: unknown): Json {
  const parsed = definition.output.safeParse(output);
  const faults = parsed.success ? [] : faultsOf(parsed.error);
  const json = parsed.success ? toJson(parsed.data) : undefined;
  if (json !== undefined) return json;
  if (faults.length === 0) faults.push({ pointer: '', message: 'is not JSON' });
  const text = faults.map(({ pointer, message }) => `${pointer || '/'}: ${message}`).join('; ');
  const hint = `${definition.name} returned something else than it declares: ${text}`;
  throw new AstraError('ASTRA_TOOL_OUTPUT_INVALID', bounded(hint), { faults });
}

const bounded = (text: string): string => (text.length <= longestMessage ? text : `${text.slice(0, longestMessage)}…`);
