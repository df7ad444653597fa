import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { evaluateList, renderTemplate, type Scope } from '../../domain/expressions.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { Task, ToolTask } from '../../domain/schemas/plan.ts';
import { templateSchema } from '../../domain/schemas/template.ts';
import { createToolContext, tools } from './tools.ts';

const template = templateSchema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '../repo-report/template.json'), 'utf8')),
);

export interface Totals {
  readonly source: string;
  readonly files: number;
  readonly lines: number;
  readonly bytes: number;
  readonly binary: { readonly files: number; readonly lines: number; readonly bytes: number };
  readonly languages: readonly {
    readonly name: string;
    readonly files: number;
    readonly lines: number;
    readonly bytes: number;
  }[];
}
/** Outputs of the template's tasks by id, as far as they were run. */
export interface ReportOutputs {
  readonly list: { readonly stdout: string };
  readonly batches: { readonly files: number; readonly batches: readonly string[] };
  readonly totals: Totals;
  readonly notes: { readonly stdout: string };
  readonly licences: { readonly stdout: string };
  readonly churn: { readonly stdout: string };
  /** The text of the artifacts. */
  readonly markdown: string;
  readonly svg: string;
}

interface Options {
  /** The tasks up to this one only. */
  readonly until?: keyof ReportOutputs;
  /** Outputs that are there already: their tasks do not run. */
  readonly given?: Partial<ReportOutputs>;
  readonly params?: JsonObject;
}

/**
 * Runs the plan of repo-report without the engine. Its expressions, its scripts and the tools are the real ones, but the
 * shell scripts run in place rather than in a sandbox.
 */
export async function runReport(directory: string, { until, given, params }: Options = {}): Promise<ReportOutputs> {
  const outputs: Record<string, Json> = { ...(given as Record<string, Json>) };
  const artifacts = new Map<string, string>();
  for (const task of template.plan.tasks) {
    const ended = Object.fromEntries(Object.entries(outputs).map(([id, output]) => [id, { output }]));
    const scope = { params: { directory, historyCommits: 1_000, ...params }, tasks: ended };
    outputs[task.id] ??= await runTask(task, { scope, artifacts });
    if (task.id === until) break;
  }
  const texts = { markdown: artifacts.get('report.md') ?? '', svg: artifacts.get('chart.svg') ?? '' };
  return { ...outputs, ...texts } as unknown as ReportOutputs;
}

interface Run {
  readonly scope: Scope;
  readonly artifacts: Map<string, string>;
}

async function runTask(task: Task, { scope, artifacts }: Run): Promise<Json> {
  if (task.kind === 'tool') return callTool(task, { scope, artifacts });
  if (task.kind !== 'map') throw new Error(`repo-report has no tasks of kind ${task.kind}`);
  const items: Json[] = [];
  for (const item of evaluateList(task.over, scope)) {
    items.push(await callTool(task.task, { scope: { ...scope, item }, artifacts }));
  }
  return items;
}

async function callTool({ tool, input = {} }: Pick<ToolTask, 'tool' | 'input'>, run: Run): Promise<Json> {
  const call = renderTemplate(input, run.scope) as JsonObject;
  if (tool === 'shell.run') return { stdout: runShell(call as unknown as ShellCall) };
  const found = tools.get(tool);
  if (!found) throw new Error(`There is no tool ${tool}.`);
  return found.run(call, createToolContext(run.artifacts));
}

interface ShellCall {
  readonly command: string;
  readonly stdin?: string;
  readonly mounts: readonly [{ readonly path: string }];
}

function runShell({ command, stdin = '', mounts }: ShellCall): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    input: stdin,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, REPO_REPORT_DIRECTORY: mounts[0].path },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}
