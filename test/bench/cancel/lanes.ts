import { Client, Connection } from '@temporalio/client';
import type { Stack } from '../../../infra/local/stack.ts';
import { createAstra, type Astra } from '../../../sdk/index.ts';
import { goalWorkflowId, messages } from '../../../workflows/contract.ts';
import type { GoalId } from '../../../domain/schemas/common.ts';

/** How a cancel is asked for. */
export interface Lanes {
  readonly astra: Astra;
  readonly cancel: Readonly<Record<Lane, (goalId: string) => Promise<void>>>;
  close(): Promise<void>;
}
export type Lane = 'fast' | 'heartbeats';

export async function openLanes({ connection: stack }: Stack): Promise<Lanes> {
  const astra = createAstra({ apiUrl: stack.apiUrl, token: stack.token });
  const connection = await Connection.connect({ address: stack.temporalAddress });
  const { workflow } = new Client({ connection });
  return {
    astra,
    cancel: {
      fast: async (goalId) => {
        await astra.goals.cancel(goalId);
      },
      // What the API does, but for what it tells the workers.
      async heartbeats(goalId) {
        // The API gave it.
        await workflow.getHandle(goalWorkflowId(goalId as GoalId)).signal(messages.cancelGoal, { reason: null });
      },
    },
    close: () => connection.close(),
  };
}
