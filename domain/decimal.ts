const pattern = /^(\d+)(?:\.(\d+))?$/;

/** The exact sum of two non-negative decimals, such as amounts of money; text that is none counts as 0. */
export function addDecimals(a: string, b: string): string {
  const terms = [a, b].map((text) => pattern.exec(text) ?? [text, '0', '']);
  const places = Math.max(...terms.map(([, , fraction = '']) => fraction.length));
  const sum = terms.reduce(
    (total, [, whole = '0', fraction = '']) => total + BigInt(whole + fraction.padEnd(places, '0')),
    0n,
  );
  const digits = sum.toString().padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
