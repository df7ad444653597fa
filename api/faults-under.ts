import { AstraError } from '../domain/errors.ts';

/** The faults that a part of a body is refused with, as faults of the body. @param pointer leads to the part */
export async function faultsUnder<T>(pointer: string, check: () => Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof AstraError)) throw error;
    const faults = error.faults.map((fault) => ({ ...fault, pointer: `${pointer}${fault.pointer}` }));
    const { code, message, retryAfterSeconds } = error;
    const later = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    throw new AstraError(code, message, { faults, ...later, cause: error });
  }
}
