/** Which URLs may have a short name: our own and those of the documentation, so that none leads elsewhere. */
import { invalid } from "../http/errors.ts";

/** The hosts of this installation. */
export interface OwnHosts {
  readonly publicUrl: string;
  readonly docsUrl: string;
  readonly privateDocsUrl: string;
}

const LONGEST = 8_192;
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789";
const CODE_LENGTH = 5;

/**
 * The host itself and those below it are allowed. The documentation's host itself and that for trials only without a
 * path: what packages publish there could lead anywhere.
 * @throws ApiError 422
 */
export function readLongUrl(value: unknown, hosts: OwnHosts): string {
  const refuse = (problem: string) => invalid({ url: problem });
  if (value === undefined || value === null) throw refuse("can't be blank");
  if (typeof value !== "string") throw refuse("expected type string");
  const [, scheme, rest = ""] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(value) ?? [];
  if (scheme === undefined || !/^https?$/i.test(scheme)) throw refuse("must use http or https scheme");
  if (!/^\/\/[^/?#]/.test(rest) || !URL.canParse(value)) throw refuse("must include a host");
  if (value.length > LONGEST) throw refuse(`should be at most ${LONGEST} character(s)`);
  const url = new URL(value);
  if (url.username !== "" || url.password !== "" || !isOwn(url, hosts)) {
    throw refuse(`domain must match ${hostNames(hosts)}`);
  }
  // As it was understood, so that no browser understands it in another way.
  return url.href;
}

function isOwn(url: URL, { publicUrl, docsUrl, privateDocsUrl }: OwnHosts): boolean {
  const [main, docs, privateDocs] = [publicUrl, docsUrl, privateDocsUrl].map((text) => new URL(text).host);
  const isBelow = (host: string | undefined) => host !== undefined && url.host.endsWith(`.${host}`);
  if (url.host === main) return true;
  if (url.host === docs || url.host === `staging.${main}`) return url.pathname === "/" && url.search === "";
  return [main, docs, privateDocs].some(isBelow);
}

function hostNames({ publicUrl, docsUrl, privateDocsUrl }: OwnHosts): string {
  const [main = "", docs = "", privateDocs = ""] = [publicUrl, docsUrl, privateDocsUrl].map(
    (text) => new URL(text).host,
  );
  const names = [...new Set([main, `*.${main}`, docs, `*.${docs}`, `*.${privateDocs}`])];
  return `${names.slice(0, -1).join(", ")}, or ${names.at(-1)}`;
}

/** @param random gives that many bytes @returns a code without letters that look alike. */
export function newCode(random: (bytes: number) => Uint8Array): string {
  let code = "";
  while (code.length < CODE_LENGTH) {
    for (const byte of random(CODE_LENGTH)) {
      // Of the byte's 256 values only as many as the alphabet goes into evenly.
      const at =
        byte < ALPHABET.length * Math.floor(256 / ALPHABET.length) ? byte % ALPHABET.length : undefined;
      if (at !== undefined && code.length < CODE_LENGTH) code += ALPHABET[at];
    }
  }
  return code;
}
