/** Reads a body into one buffer, within its size and each piece within its time. */
import type { ByteLease } from "./budget.ts";
import { ApiError } from "./errors.ts";

export interface CollectLimits {
  readonly mostBytes: number;
  /** Of a longer body only this much is kept: enough to see that it is too long. */
  readonly keptBytes: number;
  readonly pieceMilliseconds: number;
  /** What arrives is taken from the budget of all requests. */
  readonly lease: ByteLease;
}

/** The rest of the body is not read, so the connection cannot be used again. */
const CLOSE = { headers: { connection: "close" } } as const;

/**
 * @param announced the Content-Length header
 * @returns the body, cut to what is kept.
 * @throws ApiError 413 beyond the limit, 408 when a piece takes too long, 503 beyond the budget.
 */
export async function collectBody(
  body: ReadableStream<Uint8Array> | null,
  announced: string | null,
  limits: CollectLimits,
): Promise<Buffer> {
  const { keptBytes } = limits;
  const length = Number(announced ?? 0);
  if (length > limits.mostBytes) throw new ApiError(413, undefined, CLOSE);
  if (body === null) return Buffer.alloc(0);
  // Filled in place: gathering pieces and joining them would hold every upload twice.
  let buffer: Buffer = Buffer.alloc(0);
  let size = 0;
  let filled = 0;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await withinTime(reader.read(), limits.pieceMilliseconds);
      if (done) return buffer.subarray(0, filled);
      size += value.length;
      if (size > limits.mostBytes) throw new ApiError(413, undefined, CLOSE);
      const kept = value.subarray(0, keptBytes - filled);
      limits.lease.take(kept.length);
      if (filled + kept.length > buffer.length) {
        buffer = grown(buffer, filled, kept.length, Math.min(length, keptBytes));
      }
      buffer.set(kept, filled);
      filled += kept.length;
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    throw error;
  }
}

// Whoever has sent this much is believed what it announced; before, announcing costs us nothing.
const BELIEVED_BYTES = 1 << 20;

function grown(buffer: Buffer, size: number, more: number, announced: number): Buffer {
  const doubled = Math.max(2 * buffer.length, size + more, 4_096);
  const believed = doubled >= BELIEVED_BYTES && announced >= size + more;
  const larger = Buffer.allocUnsafe(believed ? announced : doubled);
  buffer.copy(larger, 0, 0, size);
  return larger;
}

async function withinTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ApiError(408, undefined, CLOSE)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
