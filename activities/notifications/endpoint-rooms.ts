import { LRUCache } from 'lru-cache';
import type { EndpointRoom } from '../../stores/postgres/delivery-queue.ts';

/** Deliveries that one process sends to one endpoint at once: while it answers, and while it does not. */
export const perEndpoint = 10;
const perFailingEndpoint = 1;

interface State {
  readonly tenant: string;
  readonly endpoint: string;
  readonly underWay: number;
  readonly failing: boolean;
}
type Endpoint = Pick<State, 'tenant' | 'endpoint'>;

/** Keeps account of how much room endpoints have, so that one that does not answer takes up one place, not all. */
export interface EndpointRooms {
  /** Those that have less room than `perEndpoint`. */
  list(): EndpointRoom[];
  take(endpoint: Endpoint): void;
  giveBack(endpoint: Endpoint, options: { readonly failed: boolean }): void;
}

export function createEndpointRooms(): EndpointRooms {
  // Of one that is forgotten because there are so many others, a few too many are sent.
  const states = new LRUCache<string, State>({ max: 10_000 });
  const keyOf = ({ tenant, endpoint }: Endpoint): string => `${tenant}/${endpoint}`;
  const stateOf = ({ tenant, endpoint }: Endpoint): State =>
    states.get(keyOf({ tenant, endpoint })) ?? { tenant, endpoint, underWay: 0, failing: false };
  function set(state: State): void {
    if (state.underWay > 0 || state.failing) states.set(keyOf(state), state);
    else states.delete(keyOf(state));
  }

  return {
    list: () =>
      [...states.values()].map(({ tenant, endpoint, underWay, failing }) => ({
        tenant,
        endpoint,
        room: Math.max(0, (failing ? perFailingEndpoint : perEndpoint) - underWay),
      })),
    take(endpoint) {
      const state = stateOf(endpoint);
      set({ ...state, underWay: state.underWay + 1 });
    },
    giveBack(endpoint, { failed }) {
      const state = stateOf(endpoint);
      set({ ...state, underWay: Math.max(0, state.underWay - 1), failing: failed });
    },
  };
}
