import { readFileSync } from 'node:fs';
import type { ComponentName } from './component.ts';
import type { ComponentState } from './supervisor.ts';
import { writeFileAtomically } from './write-file-atomically.ts';

export interface ComponentStatus {
  name: ComponentName;
  state: ComponentState;
  version: string;
  port: number;
  pid: number | null;
}

export function writeStatus(path: string, components: ComponentStatus[]): void {
  writeFileAtomically(path, `${JSON.stringify(components, null, 2)}\n`, 0o600);
}

export function readStatus(path: string): ComponentStatus[] {
  try {
    // Our own file, replaced atomically.
    return JSON.parse(readFileSync(path, 'utf8')) as ComponentStatus[];
  } catch {
    return [];
  }
}
