import type { Approval } from '@astra/sdk';
import { truncate } from './text/clean.ts';
import { formatJson } from './text/format-json.ts';

/** What a decision is about, in one line: the input asked about and, of a risky task, the tool that would be given it. */
export function describeQuestion(
  { tool, input, inputArtifact, map }: Pick<Approval, 'tool' | 'input' | 'inputArtifact' | 'map'>,
  width: number,
): string | null {
  const [first] = map?.sample ?? [];
  const shown = input ?? first;
  const parts = [
    tool ?? '',
    map ? `${map.items} times${first ? ', such as' : ''}` : '',
    shown ? formatJson(shown, 0) : '',
    inputArtifact ? `with the artifact ${inputArtifact.id} (${inputArtifact.sizeBytes} bytes)` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? null : truncate(parts.join(' '), width);
}
