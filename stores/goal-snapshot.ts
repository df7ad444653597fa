import { restoreRecord, type GoalRecord, type TaskState } from '../domain/goal-record.ts';
import type { Outputs } from '../domain/graph-view.ts';
import type { Json } from '../domain/json.ts';
import type { PlanOutline } from '../domain/plan-outline.ts';
import type { Artifact } from '../domain/schemas/artifact.ts';
import type { GoalHead, GoalState } from '../domain/schemas/goal.ts';
import type { TaskWrite } from './goal-write.ts';

/** Larger outputs are left out of graphs, which may show 10,000 of them, and are read with their task. */
export const graphOutputBytes = 2 * 1024;

/** All that a goal's views are made of, at one `seq`. Texts are JSON. Items of maps are not in it. */
export interface GoalSnapshot {
  readonly seq: number;
  readonly headJson: string;
  readonly stateJson: string;
  readonly outlineJson: string | null;
  /** By task id; see `keptTask`. */
  readonly tasks: ReadonlyMap<string, string>;
}

interface KeptTask {
  readonly state: TaskState;
  readonly artifact?: Artifact;
  readonly output?: Json;
}

/** A touched task as a snapshot has it. */
export function keptTask({
  stateJson,
  artifactJson,
  outputJson,
}: Pick<TaskWrite, 'stateJson' | 'artifactJson' | 'outputJson'>): string {
  const artifact = artifactJson === null ? '' : `,"artifact":${artifactJson}`;
  const isShown = outputJson !== null && Buffer.byteLength(outputJson) <= graphOutputBytes;
  return `{"state":${stateJson}${artifact}${isShown ? `,"output":${outputJson}` : ''}}`;
}

/** The goal's view without links, as JSON text: two objects joined, neither parsed. */
export const viewJson = ({ headJson, stateJson }: Pick<GoalSnapshot, 'headJson' | 'stateJson'>): string =>
  `${headJson.slice(0, -1)},${stateJson.slice(1)}`;

/** What graph-view.ts needs of a snapshot. */
export function recordOf(snapshot: GoalSnapshot): { readonly record: GoalRecord; readonly outputs: Outputs } {
  const { headJson, stateJson, outlineJson } = snapshot;
  const outputs = new Map<string, Json>();
  const tasks = [...snapshot.tasks].map(([id, text]) => {
    // Astra wrote it: see `keptTask`.
    const { state, artifact, output } = JSON.parse(text) as KeptTask;
    if (output !== undefined) outputs.set(id, output);
    return [id, artifact ? { ...state, artifact } : state] as const;
  });
  // The recorder wrote all three.
  const head = JSON.parse(headJson) as GoalHead;
  const state = JSON.parse(stateJson) as GoalState; // see above
  const outline = outlineJson === null ? null : (JSON.parse(outlineJson) as PlanOutline); // see above
  return { record: restoreRecord({ head, state, outline, tasks }), outputs };
}
