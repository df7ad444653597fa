const dayMs = 86_400_000;

/** An RFC 3339 time in few characters, in the terminal's time zone: `12:31:07` within a day of `now`, else `Mar 07`. */
export function formatTime(at: string, now: number): string {
  const time = new Date(at);
  if (Math.abs(now - time.getTime()) < dayMs) return time.toLocaleTimeString('en-GB');
  return time.toLocaleDateString('en-US', { month: 'short', day: '2-digit' });
}
