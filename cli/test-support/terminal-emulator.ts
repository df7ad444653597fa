/** Enough of a terminal to see what a redraw leaves on the screen: moves up, clears, line feeds, no wrapping. */
export function emulate(output: string): string[] {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  const put = (text: string): void => {
    const line = (lines[row] ?? '').padEnd(column);
    lines[row] = line.slice(0, column) + text + line.slice(column + text.length);
    column += text.length;
  };

  for (const [token] of output.matchAll(/\u001B\[\??\d*[a-zA-Z]|\n|\r|[^\u001B\n\r]+/g)) {
    if (token === '\n') [row, column] = [row + 1, 0];
    else if (token === '\r') column = 0;
    else if (!token.startsWith('\u001B')) put(token);
    else if (token.endsWith('A')) row = Math.max(0, row - Number(token.slice(2, -1)));
    else if (token.endsWith('K')) lines[row] = (lines[row] ?? '').slice(0, column);
    else if (token.endsWith('J')) lines.splice(row, lines.length, (lines[row] ?? '').slice(0, column));
    lines[row] ??= '';
  }
  return lines.map((line) => line.trimEnd());
}
