import type { Model } from '../llm/model.ts';
import type { Sandbox } from '../sandbox/create-sandbox.ts';
import { artifactRead } from './artifact-read.ts';
import { artifactWrite } from './artifact-write.ts';
import { createCodeJavascript } from './code-javascript.ts';
import type { Tool } from './define-tool.ts';
import type { EgressPolicy } from './egress-policy.ts';
import { createHttpFetch } from './http-fetch.ts';
import { createModelGenerate } from './model-generate.ts';
import { createShellRun } from './shell-run.ts';
import { textRender } from './text-render.ts';

export interface BuiltInToolDeps {
  readonly egress: EgressPolicy;
  readonly sandbox: Sandbox;
  readonly shellNetworkAllowed: boolean;
  readonly model: Model | null;
}

/** For a caller that has no threads. */
const longestScriptMs = 30_000;
function startClock(): () => boolean {
  const end = performance.now() + longestScriptMs;
  return () => performance.now() > end;
}

export function builtInTools(deps: BuiltInToolDeps): readonly Tool[] {
  return [
    artifactRead,
    artifactWrite,
    createCodeJavascript(startClock),
    createHttpFetch(deps.egress),
    createModelGenerate(deps.model),
    createShellRun({ sandbox: deps.sandbox, networkAllowed: deps.shellNetworkAllowed }),
    textRender,
  ];
}
