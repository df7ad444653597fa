import { readFile, writeFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import type { GoalSubmission } from '../../../domain/schemas/goal.ts';
import { createAstra } from '../../../sdk/index.ts';
import type { Astra } from '../../../sdk/index.ts';
import { goalWorkflowId } from '../../../workflows/contract.ts';
import { startTestStack } from '../../support/stack/start-test-stack.ts';

/** What one goal took. */
export interface GoalFigure {
  /** From its submission until its client has the result. */
  readonly seconds: number;
  /** Of the goal's own histories; those of its shards are apart. */
  readonly historyEvents: number;
  readonly runs: number;
  /** Of the worker while the goal ran. */
  readonly peakMiB: number;
}

/** A fresh local stack on which goals run one after the other. */
export interface GoalMeter {
  readonly astra: Astra;
  /** @throws when the goal does not complete */
  measure(submission: GoalSubmission): Promise<GoalFigure>;
  stop(): Promise<void>;
}

const longestGoalMs = 900_000;

/** @param toolModules the file of the tools to load beside the built-in ones */
export async function startGoalMeter(toolModules = ''): Promise<GoalMeter> {
  const stack = await startTestStack({ processes: 'all', env: { ...process.env, ASTRA_TOOL_MODULES: toolModules } });
  const { apiUrl, token, temporalAddress } = stack.connection;
  const astra = createAstra({ apiUrl, token });
  const temporal = new Client({ connection: await Connection.connect({ address: temporalAddress }) });
  const workerPid = (): number => stack.connection.processes.worker ?? 0;

  async function historyOf(workflowId: string): Promise<Pick<GoalFigure, 'historyEvents' | 'runs'>> {
    let historyEvents = 0;
    let runs = 0;
    for await (const { runId } of temporal.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      historyEvents += (await temporal.workflow.getHandle(workflowId, runId).describe()).historyLength;
      runs += 1;
    }
    return { historyEvents, runs };
  }

  return {
    astra,
    async measure(submission) {
      await forgetPeak(workerPid());
      const begun = performance.now();
      const { id } = await astra.goals.submit(submission);
      const result = await astra.goals.result(id, { timeoutMs: longestGoalMs });
      const seconds = (performance.now() - begun) / 1_000;
      if (result.status !== 'completed')
        throw new Error(`${submission.objective} ended ${result.status}: ${JSON.stringify(result.error)}`);
      const workflowId = goalWorkflowId(id);
      // The record tells the end a moment before the execution is closed.
      await temporal.workflow.getHandle(workflowId).result();
      return { seconds, ...(await historyOf(workflowId)), peakMiB: await peakMiB(workerPid()) };
    },
    async stop() {
      await temporal.connection.close();
      await stack.stop();
    },
  };
}

/** Has Linux begin anew with the process's greatest resident memory. */
const forgetPeak = (pid: number): Promise<void> => writeFile(`/proc/${pid}/clear_refs`, '5');

async function peakMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1_024);
}
