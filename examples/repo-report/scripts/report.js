/** Turns what the scripts printed into the data of report.mustache. Everything that comes from a file is escaped here. */
({ directory, totals, notes, licences, churn }) => {
  const number = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
  const percent = (part, whole) => `${whole === 0 ? 0 : Math.round((1000 * part) / whole) / 10} %`;
  const day = (seconds) => new Date(Number(seconds) * 1000).toISOString().slice(0, 10);
  /** A code span that stays one cell of a table, whatever the text holds. */
  const code = (text) => {
    // Control characters would break the line or the terminal that shows it.
    const shown = text.replace(/[\x00-\x1f\x7f]/g, (char) => (char === '\t' ? ' ' : '\u{fffd}')).trim() || ' ';
    const fence = '`'.repeat(1 + Math.max(0, ...(shown.match(/`+/g) ?? []).map(({ length }) => length)));
    const pad = /^`|`$/.test(shown) ? ' ' : '';
    return `${fence}${pad}${shown.replace(/\|/g, '\\|')}${pad}${fence}`;
  };
  const plain = (text) => text.replace(/[\\`*_[\]<>|#&]/g, '\\$&');
  /** Git quotes odd names as C does: octal bytes, and a backslash before some letters. */
  const unquote = (path) => {
    if (!path.startsWith('"')) return path;
    const letters = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 };
    const hex = (byte) => `%${byte.toString(16).padStart(2, '0')}`;
    const escaped = path.slice(1, -1).replace(/\\([0-7]{3}|.)|%/g, (all, what) => {
      if (all === '%') return '%25';
      if (what.length === 3) return hex(parseInt(what, 8));
      return hex(letters[what] ?? what.charCodeAt(0));
    });
    try {
      return decodeURIComponent(escaped);
    } catch {
      return path;
    }
  };
  /** "kind rest" lines → the rests of a kind. */
  const reader = (stdout) => {
    const rows = stdout
      .split('\n')
      .map((line) => /^(\S+)\s(.*)$/s.exec(line))
      .filter(Boolean);
    return (kind) => rows.filter((row) => row[1] === kind).map((row) => row[2]);
  };
  const [note, licence, history] = [reader(notes), reader(licences), reader(churn)];
  const counted = (row) => ({ count: number(Number(row.split(' ')[0])), name: plain(row.slice(row.indexOf(' ') + 1)) });
  const commits = Number(history('commits')[0]);
  const noteRows = note('note').map((row) => row.split('\u001f'));

  return {
    directory: code(directory),
    source: totals.source === 'git' ? 'as `git ls-files` names them' : 'as `find` names them (no git repository)',
    files: number(totals.files),
    lines: number(totals.lines),
    bytes: number(totals.bytes),
    wcLines: number(totals.wcLines),
    wcBytes: number(totals.wcBytes),
    batches: number(totals.batches),
    hasLanguages: totals.languages.length > 0,
    languages: totals.languages.map(({ name, files, lines, bytes }) => ({
      name: plain(name),
      files: number(files),
      lines: number(lines),
      bytes: number(bytes),
      share: percent(lines, totals.lines),
    })),
    binary: totals.binary.files > 0 && { files: number(totals.binary.files), bytes: number(totals.binary.bytes) },
    symlinks: totals.symlinks,
    absent: totals.absent,
    unreadable: totals.unreadable,
    unlistedDirectories: totals.unlistedDirectories,
    notes: {
      todo: number(Number(note('todo')[0])),
      fixme: number(Number(note('fixme')[0])),
      shown: noteRows.length,
      more: Number(note('lines')[0]) > noteRows.length,
      rows: noteRows.map(([line, path, text]) => ({ place: code(`${path}:${line}`), text: code(text.slice(0, 160)) })),
    },
    licences: {
      own: licence('own').map(plain)[0] ?? 'not stated in package.json',
      packages: number(Number(licence('packages')[0])),
      origin: licence('origin')[0],
      rows: licence('licence')
        .sort((a, b) => Number(b.split(' ')[0]) - Number(a.split(' ')[0]) || (a < b ? -1 : 1))
        .map(counted),
      unknown: licence('unknown').map(code).join(', '),
      manifests: licence('manifest').map(counted),
    },
    history: commits > 0 && {
      commits: number(commits),
      authors: number(Number(history('authors')[0])),
      first: day(history('first')[0]),
      last: day(history('last')[0]),
      rows: history('file').map((row) => {
        const [changes, added, deleted, ...path] = row.split('\t');
        return {
          changes: number(Number(changes)),
          added: number(Number(added)),
          deleted: number(Number(deleted)),
          path: code(unquote(path.join('\t'))),
        };
      }),
    },
  };
};
