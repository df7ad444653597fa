/** What the peer's one GET asks for. */
export const bareKey = (goalId: string): string => `bench:${goalId}`;
