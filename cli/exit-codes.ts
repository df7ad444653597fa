/** What the process tells a script. docs/guides/cli.md and `astra --help` show the same list. */
export const exitCodes = {
  /** Done; the goal completed. */
  completed: 0,
  /** The goal failed, or the API refused. */
  failed: 1,
  cancelled: 2,
  unreachable: 3,
  usage: 64,
  /** As timeout(1) says it. */
  timedOut: 124,
  /** 128 + SIGINT: interrupted; the goal goes on. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodesHelp = `
Exit codes:
  0    done; a goal that was waited for completed
  1    the goal failed, or the API refused
  2    the goal was cancelled
  3    the API cannot be reached
  64   the command line is wrong
  124  the goal had not ended in the time given; it goes on
  130  interrupted (Ctrl-C); the goal goes on`;
