/** Beside tasks of the goal: the server allows 2,000 pending activities an execution. */
const mostUnderWay = 1_000;
/** Some three events each: the server ends an execution whose history has more than 51,200. */
const mostItems = 4_000;

/** What all maps of one execution have together. */
export interface MapRoom {
  /** Items that may still begin now. */
  free: number;
  /** Items that may still go into this history; more run in executions of their own. */
  items: number;
}

export const createMapRoom = (): MapRoom => ({ free: mostUnderWay, items: mostItems });
