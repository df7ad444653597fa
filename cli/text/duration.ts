/** `0.4 s`, `12.3 s`, `2 min 5 s`, `3 h 12 min`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `1 s`, `12 s`, `3 min`, `2 h`, `5 d`: never less than what is left. */
export function formatRoughly(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1_000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 100 * 60) return `${Math.ceil(seconds / 60)} min`;
  const hours = Math.ceil(seconds / 3_600);
  return hours < 48 ? `${hours} h` : `${Math.ceil(hours / 24)} d`;
}

/** Between two RFC 3339 times; up to `now` when the second is not there yet. */
export const elapsedMs = (from: string, until: string | null, now: number): number =>
  (until === null ? now : Date.parse(until)) - Date.parse(from);
