/** From the text of a setting to its value, each a zod schema with a message for people. */
import { isIP } from "node:net";
import { resolve } from "node:path";
import { z } from "zod";
import { type RepositoryName, repositoryName } from "../../hex/ids.ts";
import { dsnParts } from "./dsn.ts";
import { Secret } from "./secret.ts";

function parsed<T>(read: (text: string) => T | undefined, message: string) {
  return z.string().transform((text, context) => {
    const value = read(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

export const text = z.string();

export const secret = z.string().transform((value) => new Secret(value));

/** @param least of characters */
export function longSecret(least: number) {
  const message = `must have at least ${least} characters, without spaces; make one with \`openssl rand -hex 32\``;
  return parsed(
    (value) => (value.length >= least && /^[\x21-\x7e]+$/.test(value) ? new Secret(value) : undefined),
    message,
  );
}

const ON = ["on", "true", "yes", "1"];
const OFF = ["off", "false", "no", "0"];

export const onOff = parsed((value) => {
  const word = value.toLowerCase();
  return ON.includes(word) ? true : OFF.includes(word) ? false : undefined;
}, "must be `on` or `off`");

export function integer(least: number, greatest: number) {
  return parsed((value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    return number >= least && number <= greatest ? number : undefined;
  }, `must be a whole number from ${least} to ${greatest}`);
}

export function oneOf<const T extends string>(...words: readonly T[]) {
  const list = words.map((word) => `\`${word}\``).join(", ");
  return parsed((value) => words.find((word) => word === value), `must be one of ${list}`);
}

/** Absolute, without a slash at its end. */
export const httpUrl = parsed((value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return undefined;
  const plain = url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  return plain ? url.origin + url.pathname.replace(/\/+$/, "") : undefined;
}, "must be an http or https URL without user name, password, query and fragment");

export type KeySetPlace =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "file"; readonly path: string };

/** An http or https URL, or else a path. */
export const keySetPlace = z.string().transform((value, context): KeySetPlace => {
  if (!/^https?:/i.test(value)) return { kind: "file", path: resolve(value) };
  const { success, data, error } = httpUrl.safeParse(value);
  if (success) return { kind: "url", url: data };
  for (const { message } of error.issues) context.addIssue({ code: "custom", message });
  return z.NEVER;
});

/** May hold a password, so it is secret as a whole. */
export const postgresUrl = parsed((value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return url !== undefined && /^postgres(ql)?:$/.test(url.protocol) ? new Secret(value) : undefined;
}, "must be a URL such as postgres://user:password@host:5432/database");

/** May hold a password, so it is secret as a whole. */
export const smtpUrl = parsed((value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const whole =
    url !== undefined && /^smtps?:$/.test(url.protocol) && url.hostname !== "" && url.search === "";
  return whole ? new Secret(value) : undefined;
}, "must be a URL such as smtp://user:password@host:587, with special characters in %XX form");

/** Whoever has it can fill a project with reports, so it is kept like a secret. */
export const sentryDsn = parsed(
  (value) => (dsnParts(value) === undefined ? undefined : new Secret(value)),
  "must be a URL such as https://KEY@HOST/PROJECT, without a secret key and query",
);

/** An address, or a name and an address. */
export const mailbox = parsed((value) => {
  const [, address = value] = /^[^<>"\p{C}]*<([^<>]+)>$/u.exec(value) ?? [];
  return /^[^\s\p{C}<>()[\]\\,;:"@]+@[^\s\p{C}<>()[\]\\,;:"@]+$/u.test(address) ? value : undefined;
}, "must be an address, or `Name <address>`");

/** Relative paths count from the working directory. */
export const path = z.string().transform((value) => resolve(value));

export const repository: z.ZodType<RepositoryName, string> = parsed(
  repositoryName,
  "must consist of a-z, 0-9, `_`, `-` and `.`",
);

export const repositories: z.ZodType<RepositoryName[], string> = parsed((value) => {
  const names = value === "none" ? [] : value.split(/[\s,]+/).filter((name) => name !== "");
  const valid = names.map(repositoryName).filter((name) => name !== undefined);
  return valid.length === names.length ? valid : undefined;
}, "must be names of repositories, separated by commas, or `none`");

/** Addresses and networks, of both kinds. */
export const networks: z.ZodType<string[], string> = parsed((value) => {
  const list = value.split(/[\s,]+/).filter((item) => item !== "");
  return list.every(isNetwork) ? list : undefined;
}, "must be addresses or networks such as 192.0.2.0/24, separated by commas");

/** @returns whether it is `ADDRESS` or `ADDRESS/BITS`. */
export function isNetwork(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  const most = { 4: 32, 6: 128 }[isIP(address)];
  if (most === undefined || rest.length > 0 || address.includes("%")) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
}

export type StorePlace =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "s3"; readonly bucket: string; readonly prefix: string };

/** `folder:PATH` or `s3://BUCKET/PREFIX`. */
export const storePlace = parsed((value): StorePlace | undefined => {
  const folder = /^folder:(?:\/\/(?=\/))?(.+)$/.exec(value)?.[1];
  if (folder !== undefined) return { kind: "folder", path: resolve(folder) };
  const [, bucket, prefix = ""] =
    /^s3:\/\/([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])(?:\/(.*))?$/i.exec(value) ?? [];
  return bucket === undefined ? undefined : { kind: "s3", bucket, prefix: prefix.replace(/\/+$/, "") };
}, "must be `folder:PATH` or `s3://BUCKET/PREFIX`");
