/** Loaded into the API before it starts (`--expose-gc --import`): collects its garbage when it is told to. */
process.on('SIGUSR2', () => {
  globalThis.gc?.();
});
