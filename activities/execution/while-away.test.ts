import { expect, test } from 'vitest';
import { AstraError } from '../../domain/errors.ts';
import { whileAway } from './while-away.ts';

const away = (): AstraError => new AstraError('ASTRA_UNAVAILABLE', 'Postgres does not answer.');

test('what needs a store is repeated until the store is back', async () => {
  const answers: (string | AstraError)[] = [away(), away(), 'recorded'];
  const work = async (): Promise<string> => {
    const answer = answers.shift() ?? 'asked too often';
    if (typeof answer === 'string') return answer;
    throw answer;
  };
  expect(await whileAway(work, new AbortController().signal)).toBe('recorded');
});

test('any other failure is thrown at once', async () => {
  let calls = 0;
  const work = async (): Promise<never> => {
    calls += 1;
    throw new AstraError('ASTRA_EXPRESSION_FAILED', 'no such field');
  };
  await expect(whileAway(work, new AbortController().signal)).rejects.toMatchObject({
    code: 'ASTRA_EXPRESSION_FAILED',
  });
  expect(calls).toBe(1);
});

test('an attempt that is ended waits no longer, and tells why it was ended', async () => {
  const reason = new Error('CANCELLED');
  const attempt = new AbortController();
  const work = async (): Promise<never> => {
    setImmediate(() => attempt.abort(reason));
    throw away();
  };
  await expect(whileAway(work, attempt.signal)).rejects.toBe(reason);
});
