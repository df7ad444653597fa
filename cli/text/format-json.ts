/**
 * JSON that is safe to write to a terminal: JSON escapes the control characters up to U+001F, and here the others as
 * well. One line unless `indent` says otherwise.
 */
export const formatJson = (value: unknown, indent: 0 | 2 = 2): string =>
  JSON.stringify(value, null, indent).replaceAll(
    /[\u007F-\u009F]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
