import type { Approval, Decision } from '../domain/schemas/approval.ts';
import type { Artifact } from '../domain/schemas/artifact.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import type { GoalEvent } from '../domain/schemas/event.ts';
import type { GoalStatus, GoalSubmission, GoalView, GraphView, TaskStatus, TaskView } from '../domain/schemas/goal.ts';
import type { LimitDefinition, LimitView } from '../domain/schemas/limit.ts';
import type { Plan } from '../domain/schemas/plan.ts';
import type { Template } from '../domain/schemas/template.ts';
import type { ToolManifest } from '../domain/schemas/tool.ts';
import type { ErrorCode, Fault } from '../domain/errors.ts';
import type { Json, JsonObject } from '../domain/json.ts';

export type {
  Approval,
  Artifact,
  Decision,
  ErrorCode,
  ErrorInfo,
  Fault,
  GoalEvent,
  GoalStatus,
  GoalSubmission,
  GoalView,
  GraphView,
  Json,
  JsonObject,
  LimitDefinition,
  Plan,
  TaskStatus,
  TaskView,
  Template,
  ToolManifest,
};

/** What every call takes: an abort rejects it with the signal's reason, also while it waits to try again. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** An artifact with where it came from. */
export type ArtifactRecord = Artifact & {
  readonly goalId: string | null;
  readonly taskId: string | null;
  readonly createdAt: string;
};

/** A limit, with how many goals or calls hold and want its places. */
export type Limit = LimitView;

/** A template as the API keeps it. */
export type StoredTemplate = Template & { readonly updatedAt: string };

/** Live lane: output of a running task as it is written. May be lost; the durable events never are. */
export interface TaskProgress {
  readonly type: 'task.progress';
  readonly taskId: string;
  readonly attempt: number;
  /** `stdout`, `stderr` or another name the tool gives. */
  readonly stream: string;
  readonly text: string;
  readonly at: string;
}

/** How a goal came to its end. `artifact` stands in for an output too large to travel inline. */
export type GoalResult =
  | { readonly status: 'completed'; readonly output: Json; readonly artifact?: undefined }
  | { readonly status: 'completed'; readonly output?: undefined; readonly artifact: Artifact }
  | { readonly status: 'failed'; readonly error: ErrorInfo }
  | { readonly status: 'cancelled'; readonly error: ErrorInfo | null };
