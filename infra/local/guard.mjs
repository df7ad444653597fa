// Ends the stack's processes when the launcher is gone, however it went (kill -9 included). The launcher holds the other
// end of this process's standard input: its end of file is the one notice of a death that no operating system lacks.
// Protocol, one line each: "+ <pid> <signal> <graceMs>" watches the process group of that leader, "- <pid>" forgets it.
import { createInterface } from 'node:readline';

const longestWaitMs = 10_000;
const watched = new Map();

// A terminal's Ctrl-C is for the launcher, which then stops everything in order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

function send(target, signal) {
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const [verb, pid, signal, graceMs] = line.split(' ');
  if (verb === '+') watched.set(Number(pid), { signal, graceMs: Number(graceMs) });
  else watched.delete(Number(pid));
});
lines.on('close', () => {
  if (watched.size === 0) return;
  const startedAt = Date.now();
  for (const [pid, { signal }] of watched) send(pid, signal);
  const timer = setInterval(() => {
    for (const [pid, { graceMs }] of watched) {
      const leaderGone = !send(pid, 0);
      if (!leaderGone && Date.now() - startedAt < graceMs) continue;
      // The group may outlive its leader: what a killed worker had started, for example.
      send(-pid, 'SIGKILL');
      if (leaderGone) watched.delete(pid);
      else send(pid, 'SIGKILL');
    }
    // In a container whose first process does not reap orphans the dead keep their pids: waiting for those has an end.
    if (watched.size === 0 || Date.now() - startedAt > longestWaitMs) clearInterval(timer);
  }, 50);
});
