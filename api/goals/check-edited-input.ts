import { AstraError } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { Approval } from '../../domain/schemas/approval.ts';
import { faultsError } from '../../domain/schemas/parse.ts';
import { compileSchema, schemaFaults } from '../../stores/json-schema.ts';
import type { ToolCatalogue } from '../../stores/tool-catalogue.ts';

const place = 'editedInput';

/**
 * May this input take the place of the one asked about? A risky task's is checked as its tool's own, so that nobody
 * approves what cannot run.
 * @throws ASTRA_BODY_INVALID with pointers into the decision
 */
export async function checkEditedInput(
  catalogue: ToolCatalogue,
  { kind, tool, map }: Pick<Approval, 'kind' | 'tool' | 'map'>,
  input: JsonObject,
): Promise<void> {
  if (kind === 'plan') throw refusal('A plan is approved as it is.');
  if (map !== null) throw refusal('The calls of a map are approved as they are, all or none.');
  if (kind !== 'risky_task') return;
  const manifest = (await catalogue()).get(tool ?? '');
  if (!manifest) throw refusal(`No worker has the tool "${tool ?? ''}" any more, so its input cannot be checked.`);
  const validate = compileSchema(manifest.inputSchema);
  // ajv sets defaults in place.
  if (validate(structuredClone(input))) return;
  const faults = schemaFaults(validate, [place]);
  throw faultsError(faults, 'ASTRA_BODY_INVALID', `The edited input is none for ${manifest.name}`);
}

const refusal = (message: string): AstraError =>
  new AstraError('ASTRA_BODY_INVALID', `${message} Leave editedInput out.`, {
    faults: [{ pointer: `/${place}`, message: 'cannot be edited' }],
  });
