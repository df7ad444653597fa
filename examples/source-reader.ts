/** Reads the sources of a template in the forms in which a plan holds them. */
export interface SourceReader {
  /** Shell scripts, joined. */
  shell(...paths: readonly string[]): Promise<string>;
  /** A function expression for `code.javascript`. */
  javascript(path: string): Promise<string>;
  /** A Mustache template; its tags are escaped, for they would be read as expressions. */
  mustache(path: string): Promise<string>;
  json(path: string): Promise<unknown>;
}

const expressionStart = '{{';

export function createSourceReader(read: (path: string) => Promise<string>): SourceReader {
  const readPlain = async (path: string): Promise<string> => {
    const text = await read(path);
    if (text.includes(expressionStart))
      throw new Error(`${path}: "${expressionStart}" would be read as an expression; write it in another way`);
    return text;
  };
  return {
    async shell(...paths) {
      return (await Promise.all(paths.map(readPlain))).join('');
    },
    async javascript(path) {
      return (await readPlain(path)).trim().replace(/;$/, '');
    },
    async mustache(path) {
      return (await read(path)).replaceAll(expressionStart, `\\${expressionStart}`);
    },
    async json(path) {
      const value: unknown = JSON.parse(await read(path));
      return value;
    },
  };
}
