import { Client, Connection } from '@temporalio/client';
import { goalWorkflowId } from '../../../workflows/contract.ts';
import { goalIdSchema } from '../../../domain/schemas/common.ts';

export interface Temporal extends AsyncDisposable {
  readonly client: Client;
  /** Of a goal. */
  workflowId(goalId: string): string;
  /** Executions that match a list filter. The server's index lags a moment behind. */
  count(query?: string): Promise<number>;
  /** Ids of the executions that match and have the text in a payload of their history. */
  withText(query: string, text: string): Promise<string[]>;
}

/** What an operator sees of goals. @param env a system's or stack's */
export async function connectTemporal(env: Readonly<Record<string, string>>): Promise<Temporal> {
  const connection = await Connection.connect({ address: env['TEMPORAL_ADDRESS'] ?? '' });
  const client = new Client({ connection });
  return {
    client,
    workflowId: (goalId) => goalWorkflowId(goalIdSchema.parse(goalId)),
    count: async (query) => (await client.workflow.count(query)).count,
    async withText(query, text) {
      const found: string[] = [];
      for await (const { workflowId, runId } of client.workflow.list({ query })) {
        const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
        const payloads = JSON.stringify(history).matchAll(/"data":"([^"]*)"/g);
        const texts = [...payloads].map(([, data = '']) => Buffer.from(data, 'base64').toString());
        if (texts.some((payload) => payload.includes(text))) found.push(workflowId);
      }
      return found;
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
