import { AstraError } from '../../domain/errors.ts';

/** SQLSTATE classes that blame what was sent: 21 cardinality, 22 data, 23 constraint, 42 syntax, 54 limits exceeded. */
const dataErrors = /^(21|22|23|42|54)/;
/** Serialization failure and deadlock: nothing was done, and the same statement may succeed at once. */
const retryAtOnce = /^40(001|P01)$/;

/** Set by Postgres on its own errors, and by Node on those of the socket. */
const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Would the same statement fail again, whatever the state of the server? */
export const isDataError = (error: unknown): boolean => dataErrors.test(codeOf(error));
export const isTransactionConflict = (error: unknown): boolean => retryAtOnce.test(codeOf(error));

/**
 * What a failed statement is to callers: ASTRA_INTERNAL when it can never succeed, else ASTRA_UNAVAILABLE (connection
 * refused or lost, time-out, server starting or stopping, disk full). Never shows text of the server: it may hold data.
 */
export function postgresError(error: unknown): AstraError {
  if (error instanceof AstraError) return error;
  if (isDataError(error)) {
    const message = `Postgres refused a statement (${codeOf(error)}). The worker log has the details.`;
    return new AstraError('ASTRA_INTERNAL', message, { cause: error });
  }
  const message = 'Postgres does not answer. Try again; /readyz tells when it is back.';
  return new AstraError('ASTRA_UNAVAILABLE', message, { retryAfterSeconds: 1, cause: error });
}
