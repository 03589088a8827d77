/**
 * Instants are microseconds since 1970 UTC, as Postgres keeps them; a JS Date would cut them to
 * milliseconds, and registry files carry microseconds.
 */

declare const brand: unique symbol;
/** Microseconds since 1970-01-01T00:00:00Z; exact as a number until the year 2255. */
export type Micros = number & { readonly [brand]: "Micros" };

/** @returns an instant given in whole microseconds since 1970 UTC. */
export function micros(value: number): Micros {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not an instant in microseconds: ${value}`);
  return value as Micros;
}

/** @returns the instant of a clock's date. */
export function microsOf(date: Date): Micros {
  return micros(date.getTime() * 1000);
}

const POSTGRES = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:\+00(?::00)?|Z)$/;

/**
 * @param text a timestamptz in Postgres' ISO output under `TimeZone=UTC`, or ISO 8601 with `Z`
 * @throws {RangeError} for any other text.
 */
export function parseTimestamp(text: string): Micros {
  const match = POSTGRES.exec(text);
  if (match === null) throw new RangeError(`not a UTC timestamp: ${JSON.stringify(text)}`);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  const millis = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
  return micros(millis * 1000 + Number((match[7] ?? "").padEnd(6, "0")));
}

/** @returns ISO 8601 with six fractional digits and `Z`. */
export function isoMicros(at: Micros): string {
  const fraction = String(((at % 1_000_000) + 1_000_000) % 1_000_000).padStart(6, "0");
  return `${new Date(Math.floor(at / 1_000_000) * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}

/** @returns the instant as protobuf's Timestamp has it. */
export function secondsAndNanos(at: Micros): { readonly seconds: number; readonly nanos: number } {
  const seconds = Math.floor(at / 1_000_000);
  return { seconds, nanos: (at - seconds * 1_000_000) * 1000 };
}

/** @returns the instant of protobuf's Timestamp, its fraction cut to microseconds. */
export function microsFrom(timestamp: { readonly seconds: number; readonly nanos: number }): Micros {
  return micros(timestamp.seconds * 1_000_000 + Math.floor(timestamp.nanos / 1_000));
}
