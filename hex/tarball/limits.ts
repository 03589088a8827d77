/** What a tarball may be and cost, in bytes. */
export interface TarballLimits {
  /** The upload, for packages and for documentation. */
  readonly compressed: number;
  /** What the gzip member inflates to, and the sum of the sizes that its entries claim. */
  readonly uncompressed: number;
  readonly version: number;
  readonly checksum: number;
  readonly metadata: number;
  /** A path inside the package, and each of its components. */
  readonly path: number;
  readonly component: number;
  /** The memory, roughly, that the index of an inner tar may take: some 60,000 files. */
  readonly index: number;
}

const KIB = 1_024;
const MIB = 1_024 * KIB;

/** The limits of hex.pm and of Hex clients; `path`, `component` and `index` are this project's. */
export const DEFAULT_LIMITS: TarballLimits = {
  compressed: 16 * MIB,
  uncompressed: 128 * MIB,
  version: 32,
  checksum: 128,
  metadata: MIB,
  path: KIB,
  component: 255,
  index: 8 * MIB,
};

/** How to read a tarball. */
export interface ReadOptions {
  readonly limits?: Partial<TarballLimits>;
  /** For the import of old packages: strips the `/` that paths begin with, as clients do. */
  readonly allowLeadingSlash?: boolean;
}

/** @returns all limits, those that are given in place of the default ones. */
export function limitsOf(options: ReadOptions): TarballLimits {
  return { ...DEFAULT_LIMITS, ...options.limits };
}
