/** Draws the ten largest languages as bars of an SVG that stands by itself, in light and in dark. */
({ totals }) => {
  const escape = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
  const number = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
  const shown = totals.languages.filter(({ lines }) => lines > 0).slice(0, 10);
  const rest = totals.languages.slice(10).reduce((sum, { lines }) => sum + lines, 0);
  const bars = rest > 0 ? [...shown, { name: 'All others', lines: rest }] : shown;

  const [width, rowHeight, left, right, top] = [720, 28, 150, 110, 48];
  const height = top + Math.max(1, bars.length) * rowHeight + 16;
  const longest = Math.max(1, ...bars.map(({ lines }) => lines));
  const rows = bars.map(({ name, lines }, row) => {
    const y = top + row * rowHeight;
    const length = Math.max(1, Math.round(((width - left - right) * lines) / longest));
    return [
      `<text x="${left - 10}" y="${y + 15}" text-anchor="end">${escape(name)}</text>`,
      `<rect x="${left}" y="${y}" width="${length}" height="20" rx="3"/>`,
      `<text x="${left + length + 8}" y="${y + 15}" class="figure">${number(lines)}</text>`,
    ].join('');
  });
  const empty = `<text x="${width / 2}" y="${top + 15}" text-anchor="middle">No lines of text</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Lines by language">`,
    '<style>svg{background:#fff}text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-size:16px;font-weight:600}.figure{fill:#57606a}rect{fill:#3b6fd4}',
    '@media(prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#e6edf3}.figure{fill:#9198a1}rect{fill:#6ea0ff}}</style>',
    '<text x="16" y="28" class="title">Lines by language</text>',
    ...(rows.length > 0 ? rows : [empty]),
    '</svg>\n',
  ].join('\n');
};
