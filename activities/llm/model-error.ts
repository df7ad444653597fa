import { APICallError, LoadAPIKeyError, NoObjectGeneratedError } from 'ai';
import { AstraError } from '../../domain/errors.ts';

const shown = (text: string): string => text.slice(0, 500);

/** ASTRA_MODEL_FAILED for what may pass (rate limit, outage, an answer that is not as asked), else ASTRA_MODEL_REFUSED. */
export function toModelError(error: unknown): AstraError {
  if (error instanceof AstraError) return error;
  if (APICallError.isInstance(error)) return fromApi(error);
  if (LoadAPIKeyError.isInstance(error)) {
    const hint = 'There is no key for the model endpoint; set ASTRA_MODEL_API_KEY.';
    return new AstraError('ASTRA_MODEL_REFUSED', hint, { cause: error });
  }
  if (NoObjectGeneratedError.isInstance(error)) {
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    const hint = `The model's answer does not follow the schema: ${shown(reason)}`;
    return new AstraError('ASTRA_MODEL_FAILED', hint, { cause: error });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new AstraError('ASTRA_MODEL_FAILED', `The model could not be asked: ${shown(reason)}`, { cause: error });
}

function fromApi(error: APICallError): AstraError {
  const { statusCode } = error;
  // The SDK's own view: no answer, 408, 409, 429 and 5xx may pass.
  if (error.isRetryable) {
    const retryAfterSeconds = Number(error.responseHeaders?.['retry-after']);
    const hint = `The model endpoint failed (${statusCode ?? 'no answer'}): ${shown(error.message)}`;
    return new AstraError('ASTRA_MODEL_FAILED', hint, {
      cause: error,
      ...(retryAfterSeconds > 0 && { retryAfterSeconds }),
    });
  }
  // Endpoints repeat parts of a wrong key in their message.
  const hint =
    statusCode === 401 || statusCode === 403
      ? 'check ASTRA_MODEL_API_KEY and what it allows'
      : `${shown(error.message)}; check ASTRA_MODEL and the request`;
  return new AstraError(
    'ASTRA_MODEL_REFUSED',
    `The model endpoint refused the request (${statusCode ?? 'no status'}): ${hint}.`,
    {
      cause: error,
    },
  );
}
