import v8 from 'node:v8';
import vm from 'node:vm';
import { isMainThread } from 'node:worker_threads';

/*
 * Loaded before everything else (`node --import`), because the SDK starts its workflow thread itself. There, for every
 * promise, the SDK takes a stack trace and maps it to the sources, for the query `__stack_trace`; and it starts a watchdog
 * for every call into the sandbox, against workflow code that never ends. That is half of what a workflow of ten activities
 * costs the worker: 91 goals/s became 118 (16 at once, 2 cores). Astra runs no workflow code but its own, and a plan is data, so both can go; `temporal workflow
 * stack` then knows nothing. Without this file the worker works as well, only slower.
 */
if (!isMainThread) {
  v8.promiseHooks.createHook = () => () => undefined;
  const { runInContext } = vm.Script.prototype;
  vm.Script.prototype.runInContext = function (context, options) {
    return runInContext.call(this, context, { ...options, timeout: undefined }) as unknown; // whatever the script gives
  };
}
