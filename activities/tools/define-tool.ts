import { z } from 'zod';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { toolManifestSchema, type ToolManifest } from '../../domain/schemas/tool.ts';

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
  readonly artifacts: ToolArtifacts;
}

/** Artifacts as tools see them: always the tenant's own. */
export interface ToolArtifacts {
  write(artifact: { readonly name: string; readonly mediaType: string; readonly bytes: Uint8Array }): Promise<Artifact>;
  /** @throws ASTRA_TOOL_INPUT_INVALID when the tenant has no such artifact. */
  read(ref: { readonly id: string } | { readonly sha256: string }, options: { readonly maxBytes: number }): Promise<ArtifactBytes>;
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
  /** Fails by throwing `AstraError` with the tool's code; anything else counts as ASTRA_TOOL_FAILED. */
  readonly run: (input: Input, context: ToolContext) => Promise<Output> | Output;
}

/** A tool ready to run: its manifest, and a `run` that checks input and output against it. */
export interface Tool {
  readonly manifest: ToolManifest;
  /** @throws ASTRA_TOOL_INPUT_INVALID with a pointer for each fault; ASTRA_TOOL_OUTPUT_INVALID */
  run(input: JsonObject, context: ToolContext): Promise<Json>;
}
