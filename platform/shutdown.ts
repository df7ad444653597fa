import type { Logger } from './logger.ts';

/** Resolves with the first SIGTERM or SIGINT. A second one ends the process at once. */
export function untilSignal(logger: Logger): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      logger.info({ signal }, 'shutting down');
      for (const name of ['SIGTERM', 'SIGINT'] as const) {
        process.off(name, onSignal);
        process.once(name, () => process.exit(1));
      }
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
