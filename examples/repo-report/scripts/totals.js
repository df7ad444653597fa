/** Sums the batches by language and compares the sums with those of check.sh. A difference fails the task. */
({ list, batches, check, languages }) => {
  const nameOf = new Map(Object.entries(languages).flatMap(([name, keys]) => keys.map((key) => [key, name])));
  const zero = () => ({ files: 0, lines: 0, bytes: 0 });
  const sums = {};
  const add = (name, { files, lines, bytes }) => {
    const sum = (sums[name] ??= zero());
    sum.files += files;
    sum.lines += lines;
    sum.bytes += bytes;
  };
  for (const row of batches.flatMap(({ stdout }) => stdout.split('\n')).filter(Boolean)) {
    const [files, lines, bytes, kind, key] = row.split(' ');
    const name = kind === 'text' ? (nameOf.get(key) ?? (/^[a-z0-9]{1,12}$/.test(key) ? `.${key}` : 'Other')) : kind;
    add(name, { files: Number(files), lines: Number(lines), bytes: Number(bytes) });
  }

  const { binary = zero(), symlinks = zero(), absent = zero(), unreadable = zero(), ...text } = sums;
  const all = [binary, ...Object.values(text)].reduce(
    (left, right) => ({
      files: left.files + right.files,
      lines: left.lines + right.lines,
      bytes: left.bytes + right.bytes,
    }),
    zero(),
  );
  const checked = Object.fromEntries(
    check
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' ')),
  );
  const figures = [
    ['files listed', list.files, all.files + symlinks.files + absent.files + unreadable.files],
    ['files read', Number(checked.files), all.files],
    ['lines', Number(checked.lines), all.lines],
    ['bytes', Number(checked.bytes), all.bytes],
  ];
  const differing = figures.filter(([, whole, batched]) => whole !== batched);
  if (differing.length > 0) {
    const text = differing
      .map(([what, whole, batched]) => `${what}: ${whole} at once, ${batched} in batches`)
      .join('; ');
    throw new Error(`The totals do not agree (${text}). Files changed while they were measured; run the goal again.`);
  }
  return {
    source: list.source,
    files: list.files,
    lines: all.lines,
    bytes: all.bytes,
    wcLines: Number(checked.lines),
    wcBytes: Number(checked.bytes),
    batches: batches.length,
    binary,
    symlinks: symlinks.files,
    absent: absent.files,
    unreadable: unreadable.files,
    unlistedDirectories: list.unlistedDirectories,
    languages: Object.entries(text)
      .map(([name, sum]) => ({ name, ...sum }))
      .sort((a, b) => b.lines - a.lines || b.files - a.files || (a.name < b.name ? -1 : 1)),
  };
};
