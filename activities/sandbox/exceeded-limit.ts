import type { SandboxResult } from './create-sandbox.ts';
import type { SandboxLimits } from './limits.ts';

/** A shell reports a death by signal as 128 + its number. */
const exitOfSigxcpu = 128 + 24;
const exitOfSigxfsz = 128 + 25;

/**
 * Which limit a command ran into. CPU time and file size end it by a signal of their own. Memory and processes only
 * make a system call fail (ENOMEM, EAGAIN); then all there is to go by is what the program says, so with
 * `certainOnly` that is not looked at.
 */
export function exceededLimit(
  { exitCode, stderrTail }: SandboxResult,
  limits: SandboxLimits,
  options: { readonly certainOnly: boolean },
): string | undefined {
  const cpu = `cpu (${limits.cpuSeconds} s)`;
  const fileSize = `file size (${limits.fileBytes} bytes)`;
  if (exitCode === exitOfSigxcpu) return cpu;
  if (exitCode === exitOfSigxfsz) return fileSize;
  if (exitCode === 0 || options.certainOnly) return undefined;
  if (/MemoryError|Cannot allocate memory|out of memory|memory exhausted|bad_alloc/i.test(stderrTail)) {
    return `memory (${limits.memoryBytes} bytes a process)`;
  }
  if (/Cannot fork|Resource temporarily unavailable|can't start new thread/i.test(stderrTail)) {
    return `processes (${limits.processes})`;
  }
  if (/File too large|File size limit exceeded/i.test(stderrTail)) return fileSize;
  if (/No space left on device/i.test(stderrTail)) return `tmp (${limits.tmpBytes} bytes in /tmp)`;
  return undefined;
}
