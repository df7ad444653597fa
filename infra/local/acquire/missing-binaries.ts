import type { BinaryNeed } from './binary-catalog.ts';

export interface MissingBinary {
  need: BinaryNeed;
  /** Why each source that was tried did not have it. */
  reasons: string[];
}

/** One message that names everything that is missing, why it could not be fetched, and what installs it. */
export function missingBinariesMessage(missing: MissingBinary[]): string {
  const lines = ['The local stack lacks programs that it could neither find nor fetch:', ''];
  for (const { need, reasons } of missing) {
    lines.push(
      `  ${need.title} (${need.executable} ${need.minimumVersion} or later; its path can be given in ${need.variable})`,
    );
    lines.push(...reasons.map((reason) => `    - ${reason.split('\n').join('\n      ')}`));
  }
  lines.push('', 'Install them, then start again:');
  const systems = [
    ['Debian, Ubuntu', 'debian'],
    ['Fedora', 'fedora'],
    ['macOS', 'macos'],
  ] as const;
  for (const [title, system] of systems) {
    lines.push('', `  ${title}:`, ...missing.map(({ need }) => `    ${need.install[system]}`));
  }
  lines.push('', 'Or run the servers with Docker: docs/guides/local-stack.md, "With Docker".');
  return lines.join('\n');
}
