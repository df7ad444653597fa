/** Saves a download under the name, whatever characters it has (RFC 6266). */
export const contentDisposition = (name: string): string => `attachment; filename*=UTF-8''${encodeRfc5987(name)}`;

const encodeRfc5987 = (name: string): string =>
  encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
