/** Why the installed packages are not those of the lock file, or null when they are. */
export function packagesOutdated(projectDir: string): string | null;
