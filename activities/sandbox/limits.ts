/** What one sandbox may use. All but `wallSeconds`, `processes` and the two tmpfs sizes hold for each process in it. */
export interface SandboxLimits {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** RLIMIT_DATA: heap and private mappings. RLIMIT_AS would refuse runtimes that only reserve gigabytes (Node, Go, Java). */
  readonly memoryBytes: number;
  readonly processes: number;
  readonly fileBytes: number;
  readonly openFiles: number;
  readonly tmpBytes: number;
  readonly outputBytes: number;
}

const mebibyte = 1024 * 1024;

export const defaultSandboxLimits: SandboxLimits = {
  wallSeconds: 3_600,
  cpuSeconds: 600,
  memoryBytes: 1_024 * mebibyte,
  processes: 128,
  fileBytes: 1_024 * mebibyte,
  openFiles: 1_024,
  tmpBytes: 256 * mebibyte,
  outputBytes: mebibyte,
};
