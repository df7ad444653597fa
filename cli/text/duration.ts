/** `0.4 s`, `12.3 s`, `2 min 5 s`, `3 h 12 min`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Between two RFC 3339 times; up to `now` when the second is not there yet. */
export const elapsedMs = (from: string, until: string | null, now: number): number =>
  (until === null ? now : Date.parse(until)) - Date.parse(from);
