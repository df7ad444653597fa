export const goalPath = (id: string): string => `v1/goals/${encodeURIComponent(id)}`;
