/** What a token may allow. `admin` implies all of them. */
export const scopes = ['goals:read', 'goals:write', 'approvals:write', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** Who asks. Everything a request sees or does is the tenant's own. */
export interface Principal {
  readonly subject: string;
  readonly tenant: string;
  readonly scopes: ReadonlySet<Scope>;
  /** All names of the token's `scope` claim: approvals may ask for ones that mean nothing to Astra. */
  readonly claimedScopes: ReadonlySet<string>;
}

export const mayUse = ({ scopes: granted }: Principal, scope: Scope): boolean =>
  granted.has(scope) || granted.has('admin');

/** What the middleware hands to the routes. */
export interface ApiEnv {
  Variables: { principal: Principal; requestId: string };
}
