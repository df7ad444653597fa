import { startStack } from '../../../infra/local/stack.ts';

// A launcher for the tests that kill it: the stack in the directory of the first argument, with the stand-ins of
// the other two for API and worker, until it is told to stop.
const [root = '', api = '', worker = ''] = process.argv.slice(2);
const interrupted = new AbortController();
process.once('SIGTERM', () => {
  interrupted.abort();
});
const scripts = { api, worker };
const stack = await startStack({ root, ports: 'any', quiet: true, scripts, env: process.env }, interrupted.signal);
process.stdout.write('up\n');
interrupted.signal.addEventListener('abort', () => void stack.stop());
