import autocannon from 'autocannon';
import { createAstra } from '../../../sdk/index.ts';
import { pureTask } from '../workloads.ts';

/** What the load of one phase is. */
export interface LoadRequest {
  readonly apiUrl: string;
  readonly token: string;
  readonly goals: number;
  readonly reads: number;
}

const lanes = 32;
const connections = 16;

/** Runs the goals, then reads them over and over. @throws when one goal or one read fails */
async function load({ apiUrl, token, goals, reads }: LoadRequest): Promise<void> {
  const astra = createAstra({ apiUrl, token });
  const ids: string[] = [];
  let left = goals;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { id } = await astra.goals.submit(goal);
      const { status } = await astra.goals.result(id);
      if (status !== 'completed') throw new Error(`goal ${id} ended ${status}`);
      ids.push(id);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const result = await autocannon({
    url: apiUrl,
    connections,
    amount: reads,
    headers: { authorization: `Bearer ${token}` },
    requests: ids.map((id, index) => ({ path: `/v1/goals/${id}${index % 4 === 0 ? '/graph' : ''}` })),
  });
  const failed = result.errors + result.timeouts + result.non2xx;
  if (failed > 0) throw new Error(`${failed} of ${reads} reads failed`);
}

/** Two layers of a few scripts. */
const first = ['a', 'b', 'c'];
const goal = {
  objective: 'a small goal',
  plan: { tasks: [...first.map((id) => pureTask(id)), pureTask('last', first)], output: '{{ tasks.last.output }}' },
};

process.on('message', (request) => {
  // Its parent, which sends nothing else.
  void load(request as LoadRequest).then(() => process.send?.('done'));
});
