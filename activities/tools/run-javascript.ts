import {
  newQuickJSWASMModule,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSWASMModule,
} from 'quickjs-emscripten';
import { AstraError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import { Deferral } from './deferral.ts';

const memoryBytes = 64 * 1024 * 1024;
/** WebAssembly's own stack is larger than this, so that deep recursion ends as an error inside. */
const stackBytes = 256 * 1024;
const longestMessage = 500;

/** Asked every few microseconds of running time whether the script must end. */
export type IsOver = () => boolean;

/**
 * Shared by the calls of a thread: 7 ms to load. Each call has a runtime and a context of its own, 0.16 ms to make and
 * free, 0.2 ms in all for a small function (Node 24, 2 cores); one context for several calls would save most of that
 * but let a call see what another left behind.
 */
let quickJs: Promise<QuickJSWASMModule> | undefined;

/** Done beforehand, it does not count as running time of the first script. */
export const loadQuickJs = (): Promise<QuickJSWASMModule> => (quickJs ??= newQuickJSWASMModule());

/** Calls the function with the input as text, so that nothing but text crosses. */
const caller = `(f, text) => {
  if (typeof f !== 'function') return 'no-function';
  const result = f(JSON.parse(text));
  if (result instanceof Promise) return 'promise';
  const json = JSON.stringify(result === undefined ? null : result);
  return json === undefined ? 'no-json' : '=' + json;
}`;

/**
 * Runs a function expression in QuickJS: no host access, 64 MiB, until `isOver` says so.
 * @throws ASTRA_TOOL_INPUT_INVALID when the code is no function, ASTRA_TOOL_FAILED when it throws,
 *   ASTRA_TOOL_OUTPUT_INVALID, ASTRA_SANDBOX_LIMIT (memory); Deferral when it is over
 */
export async function runJavascript(code: string, input: Json, options: { readonly isOver: IsOver }): Promise<Json> {
  const runtime = (await loadQuickJs()).newRuntime({ memoryLimitBytes: memoryBytes, maxStackSizeBytes: stackBytes });
  let interrupted = false;
  runtime.setInterruptHandler(() => (interrupted ||= options.isOver()));
  const context = runtime.newContext();
  try {
    return callFunction(context, code, input);
  } catch (error) {
    if (interrupted) throw new Deferral('overrun');
    // The memory that WebAssembly has grown to is never given back: the next call loads a new instance.
    if (error instanceof AstraError && error.code === 'ASTRA_SANDBOX_LIMIT') quickJs = undefined;
    throw error;
  } finally {
    dispose(context);
  }
}

function callFunction(context: QuickJSContext, code: string, input: Json): Json {
  using handles = new DisposableStack();
  // The line break ends a comment on the last line of the code.
  const compiled = context.evalCode(`(${code}\n)`, 'code.js', { type: 'global' });
  const userFunction = handles.use(unwrap(context, compiled, 'compile'));
  const callFunctionHandle = handles.use(
    unwrap(context, context.evalCode(caller, 'astra.js', { type: 'global' }), 'run'),
  );
  const text = handles.use(context.newString(JSON.stringify(input)));
  const called = context.callFunction(callFunctionHandle, context.undefined, userFunction, text);
  const answer: unknown = context.dump(handles.use(unwrap(context, called, 'run')));
  if (answer === 'no-function')
    throw codeInvalid('must be a function expression such as (input) => input.items.length');
  if (answer === 'promise') throw codeInvalid('returns a promise; write a function that is not async');
  if (typeof answer !== 'string' || !answer.startsWith('=')) throw outputInvalid();
  try {
    // JSON.parse yields JSON and nothing else.
    return JSON.parse(answer.slice(1)) as Json;
  } catch {
    throw outputInvalid(); // The code has replaced JSON.stringify.
  }
}

function unwrap(
  context: QuickJSContext,
  result: ReturnType<QuickJSContext['evalCode']>,
  phase: 'compile' | 'run',
): QuickJSHandle {
  if (result.error === undefined) return result.value;
  const { name, message } = describe(context, result.error);
  if (name === 'InternalError' && message === 'out of memory') {
    const hint = `The code needed more memory than it may have (limit: ${memoryBytes} bytes); handle less data at a time.`;
    throw new AstraError('ASTRA_SANDBOX_LIMIT', hint);
  }
  if (phase === 'compile' && name === 'SyntaxError') throw codeInvalid(`${name}: ${message}`);
  throw new AstraError('ASTRA_TOOL_FAILED', `The code threw ${name}: ${message}`.slice(0, longestMessage));
}

/** Reading the properties runs the code's own getters at worst, inside and no longer than the rest. */
function describe(context: QuickJSContext, error: QuickJSHandle): { name: string; message: string } {
  using handle = error;
  const read = (property: string): string => {
    using value = context.getProp(handle, property);
    return context.typeof(value) === 'string' ? context.getString(value) : '';
  };
  if (context.typeof(handle) !== 'object') return { name: 'a value', message: String(context.dump(handle.dup())) };
  return { name: read('name') || 'Error', message: read('message') };
}

/** After running out of memory QuickJS may not be able to free all, which it asserts: such an instance is given up. */
function dispose(context: QuickJSContext): void {
  try {
    const { runtime } = context;
    context.dispose();
    runtime.dispose();
  } catch {
    quickJs = undefined;
  }
}

const codeInvalid = (message: string): AstraError =>
  new AstraError('ASTRA_TOOL_INPUT_INVALID', `The input of code.javascript is not valid: /code: ${message}`, {
    faults: [{ pointer: '/code', message }],
  });
const outputInvalid = (): AstraError =>
  new AstraError('ASTRA_TOOL_OUTPUT_INVALID', 'The code must return JSON: no function, no symbol, no cycle.');
