/** What protobufjs decodes, as plain values. */
import { ProtoError } from "./errors.ts";

/** A 64-bit integer: an object where protobufjs finds the package `long`. */
export type WireInteger = number | { toNumber(): number };
export type WireTimestamp = { readonly seconds: WireInteger; readonly nanos: number };

/** As google.protobuf.Timestamp: seconds since 1970 UTC, and nanoseconds. */
export interface RegistryTimestamp {
  readonly seconds: number;
  readonly nanos: number;
}

/**
 * Absent optional fields are found on the message's prototype, as their default; those that were on the
 * wire are the message's own. Repeated fields are arrays either way.
 * @returns the fields that were on the wire, and every repeated one.
 */
export function own<T extends object, Field extends keyof T>(
  wire: T,
  fields: readonly Field[],
): Pick<T, Field> {
  const picked: Partial<T> = {};
  for (const field of fields) {
    if (Object.hasOwn(wire, field) || Array.isArray(wire[field])) picked[field] = wire[field];
  }
  return picked as Pick<T, Field>;
}

/** @throws {ProtoError} `protobuf_malformed` */
export function timestampOf(wire: WireTimestamp): RegistryTimestamp {
  return { seconds: safeInteger(wire.seconds), nanos: wire.nanos };
}

/**
 * @returns our revision where the file has one, to be spread.
 * @throws {ProtoError} `protobuf_malformed`
 */
export function revisionOf(wire: object): { readonly revision?: number } {
  if (!Object.hasOwn(wire, "revision")) return {};
  return { revision: safeInteger((wire as { readonly revision: WireInteger }).revision) };
}

/** A number that is rounded could be taken for another. */
function safeInteger(value: WireInteger): number {
  const number = typeof value === "number" ? value : value.toNumber();
  if (Number.isSafeInteger(number)) return number;
  throw new ProtoError("protobuf_malformed", "an integer beyond 2^53");
}
