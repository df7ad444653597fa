/** Cuts the list of files into batches. Each is what measure.sh reads: checksum of the list, first file, number of files. */
({ stdout, batchSize }) => {
  const facts = Object.fromEntries(stdout.split('\n').map((line) => line.split(' ')));
  const files = Number(facts.files);
  return {
    source: facts.source,
    files,
    unlistedDirectories: Number(facts.unlisted),
    batches: Array.from({ length: Math.ceil(files / batchSize) }, (_, batch) => {
      const from = batch * batchSize;
      return `${facts.checksum} ${from} ${Math.min(batchSize, files - from)}`;
    }),
  };
};
