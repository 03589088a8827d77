/** A tarball of documentation: a gzipped tar that the registry stores as it is. */
import { TarballError, type TarballErrorCode } from "./errors.ts";
import { GzipError, inflateMember } from "./gzip.ts";
import { limitsOf, type ReadOptions } from "./limits.ts";

/**
 * Looks at the sizes and at the gzip format, not at what is inside.
 * @param bytes the upload; they must not change while they are read
 * @throws {TarballError} as a rejection, with a code that begins with `docs_`.
 */
export async function checkDocs(bytes: Uint8Array, options: ReadOptions = {}): Promise<void> {
  const limits = limitsOf(options);
  if (bytes.length > limits.compressed) throw new TarballError("docs_too_big", "too big");
  const gzipped = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    await inflateMember(gzipped, limits.uncompressed, () => {});
  } catch (error) {
    if (!(error instanceof GzipError)) throw error;
    const [code, message] = error.code === "too_big" ? TOO_BIG : INVALID;
    throw new TarballError(code, message, { cause: error });
  }
}

type Refusal = readonly [code: TarballErrorCode, message: string];

const TOO_BIG: Refusal = ["docs_too_big_uncompressed", "too big (uncompressed)"];
const INVALID: Refusal = ["docs_gzip", "invalid gzip"];
