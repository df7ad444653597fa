import { AstraApiError } from './api-error.ts';
import { errorOfResponse } from './problem.ts';
import { defaultBackOff, isTransient, retryDelayMs, sleep, type BackOff } from './retry.ts';

export interface AstraOptions {
  /** Where the API answers, e.g. `https://astra.example.com`; a path prefix is kept. */
  readonly apiUrl: string;
  /** A bearer token, or where to get one; asked before every request. */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  readonly fetch?: typeof fetch | undefined;
  /** Further tries of a call that may be repeated (default 4): connection errors, 429, 502, 503, 504. */
  readonly retries?: number | undefined;
  /** For one request until its answer is read, or, for streams, until it begins (default 30,000). */
  readonly timeoutMs?: number | undefined;
  /** Between tries; for tests and batch jobs. */
  readonly backOff?: BackOff | undefined;
}

/** A list becomes a repeated parameter. */
export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export interface Request {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent instead of `body`, as NDJSON. */
  readonly lines?: readonly string[];
  /** Does a repeated request do no more than one? GET, PUT and DELETE always are; a POST or PATCH says so here. */
  readonly idempotent?: boolean;
  readonly redirect?: 'manual' | 'follow';
  readonly retries?: number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

type Read<T> = (response: Response, url: URL) => Promise<T>;

export interface Transport {
  /** The answer's JSON with its status: any success, 304, or a redirect not followed. */
  // The one place where the server's answers are trusted to be what its OpenAPI document says.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  json<T>(path: string, request?: Request): Promise<{ readonly status: number; readonly body: T }>;
  /** The answer as soon as it begins; its body is the caller's to read. */
  open(path: string, request?: Request): Promise<Response>;
  /** Fetches another URL without credentials. */
  openForeign(url: string, request?: Pick<Request, 'signal'>): Promise<Response>;
  readonly backOff: BackOff;
  readonly retries: number;
}

/** Rejects what runs longer than `timeoutMs` with ASTRA_TIMEOUT, and what the caller aborts with the caller's reason. */
function createDeadline(url: URL, timeoutMs: number, signal?: AbortSignal) {
  const timeout = new AbortController();
  const timer = setTimeout(() => {
    const message = `${url.origin} did not answer within ${timeoutMs / 1000} s; check that it is well, or allow more time`;
    timeout.abort(new AstraApiError('ASTRA_TIMEOUT', message, { retryable: true }));
  }, timeoutMs);
  return {
    signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal,
    clear: () => clearTimeout(timer),
  };
}

function connectionError(url: URL, error: unknown): AstraApiError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const detail = cause instanceof Error ? cause.message || cause.name : String(cause);
  return new AstraApiError('ASTRA_CONNECTION', `Cannot reach ${url.origin}: ${detail}`, {
    retryable: true,
    cause: error,
  });
}

const isSuccess = ({ ok, status, type }: Response): boolean =>
  ok || type === 'opaqueredirect' || (status >= 300 && status < 400);

async function readJson(response: Response, url: URL): Promise<unknown> {
  const text = await response.text();
  if (text === '') return null;
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch (cause) {
    const message = `${url.origin} answered something else than JSON; is it the URL of an Astra API?`;
    throw new AstraApiError('ASTRA_INTERNAL', message, { status: response.status, cause });
  }
}

function createUrl(base: URL, path: string, query: Query = {}): URL {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value) url.searchParams.append(name, String(one));
    else if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

function parseApiUrl(apiUrl: string): URL {
  const url = URL.canParse(apiUrl) ? new URL(apiUrl) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new TypeError('apiUrl must be an absolute http or https URL, such as https://astra.example.com');
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

async function withRetries<T>(
  request: Request,
  { retries, backOff }: { readonly retries: number; readonly backOff: BackOff },
  attempt: () => Promise<T>,
): Promise<T> {
  const repeatable = request.idempotent ?? !['POST', 'PATCH'].includes(request.method ?? 'GET');
  for (let failures = 1; ; failures += 1) {
    try {
      request.signal?.throwIfAborted();
      return await attempt();
    } catch (error) {
      // 429 was refused before anything was done, so even a call that must not be repeated may try again.
      const again = isTransient(error) && (repeatable || error.status === 429) && failures <= retries;
      const delayMs = again ? retryDelayMs(error, failures, backOff) : null;
      if (delayMs === null) throw error;
      await sleep(delayMs, request.signal);
    }
  }
}

/** One way in and out for all calls: authentication, time-outs, retries, typed errors. */
export function createTransport(options: AstraOptions): Transport {
  const base = parseApiUrl(options.apiUrl);
  // Called as a plain function: browsers refuse a `fetch` with another `this`.
  const { token, fetch: send = (...args: Parameters<typeof fetch>) => fetch(...args) } = options;
  const { retries = 4, timeoutMs = 30_000, backOff = defaultBackOff } = options;

  const policyOf = (request: Request) => ({ retries: request.retries ?? retries, backOff });

  async function headersOf(request: Request): Promise<Record<string, string>> {
    const bearer = typeof token === 'function' ? await token() : token;
    return {
      accept: 'application/json',
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(request.lines && { 'content-type': 'application/x-ndjson' }),
      ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
      ...request.headers,
    };
  }

  async function once<T>(url: URL, request: Request, init: RequestInit, read: Read<T>): Promise<T> {
    const deadline = createDeadline(url, request.timeoutMs ?? timeoutMs, request.signal);
    try {
      const response = await send(url, { ...init, signal: deadline.signal });
      if (!isSuccess(response)) throw await errorOfResponse(response, url);
      return await read(response, url);
    } catch (error) {
      request.signal?.throwIfAborted();
      throw error instanceof AstraApiError ? error : connectionError(url, error);
    } finally {
      deadline.clear();
    }
  }

  function call<T>(path: string, request: Request, read: Read<T>): Promise<T> {
    const url = createUrl(base, path, request.query);
    const { method = 'GET', redirect = 'follow' } = request;
    const text = request.lines?.join('\n') ?? (request.body === undefined ? undefined : JSON.stringify(request.body));
    const body = text === undefined ? {} : { body: text };
    return withRetries(request, policyOf(request), async () =>
      once(url, request, { method, redirect, headers: await headersOf(request), ...body }, read),
    );
  }

  return {
    json: (path, request = {}) =>
      call(path, request, async (response, url) => ({
        status: response.status,
        // See the declaration of `json`.
        body: (await readJson(response, url)) as never,
      })),
    open: (path, request = {}) => call(path, request, (response) => Promise.resolve(response)),
    openForeign: (url, request = {}) =>
      withRetries(request, policyOf(request), () =>
        once(new URL(url), request, {}, (response) => Promise.resolve(response)),
      ),
    backOff,
    retries,
  };
}
