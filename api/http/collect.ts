/** Reads a body into one buffer, within its size and each piece within its time. */
import type { ByteLease } from "./budget.ts";
import { ApiError } from "./errors.ts";

export interface CollectLimits {
  readonly mostBytes: number;
  /** Of a longer body nothing is kept, as nobody will look at it. */
  readonly keptBytes: number;
  readonly pieceMilliseconds: number;
  /** What arrives is taken from the budget of all requests. */
  readonly lease: ByteLease;
}

export interface Collected {
  /** How long the body was. */
  readonly size: number;
  /** Empty when the body was longer than what is kept. */
  readonly bytes: Buffer;
}

/** The rest of the body is not read, so the connection cannot be used again. */
const CLOSE = { headers: { connection: "close" } } as const;

/**
 * @param announced the Content-Length header
 * @throws ApiError 413 beyond the limit, 408 when a piece takes too long, 503 beyond the budget.
 */
export async function collectBody(
  body: ReadableStream<Uint8Array> | null,
  announced: string | null,
  limits: CollectLimits,
): Promise<Collected> {
  const { keptBytes } = limits;
  const length = Number(announced ?? 0);
  if (length > limits.mostBytes) throw new ApiError(413, undefined, CLOSE);
  if (body === null) return { size: 0, bytes: Buffer.alloc(0) };
  // Filled in place: gathering pieces and joining them would hold every upload twice.
  let buffer: Buffer = Buffer.alloc(0);
  let size = 0;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await withinTime(reader.read(), limits.pieceMilliseconds);
      if (done) return { size, bytes: buffer.subarray(0, size) };
      const filled = size;
      size += value.length;
      if (size > limits.mostBytes) throw new ApiError(413, undefined, CLOSE);
      if (Math.max(size, length) > keptBytes) {
        buffer = Buffer.alloc(0);
        continue;
      }
      limits.lease.take(value.length);
      if (size > buffer.length) buffer = grown(buffer, filled, value.length, length);
      buffer.set(value, filled);
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
