/** Where a browser may be sent back to with a code. Pure. */

const LONGEST = 2_048;

/**
 * @param registered one that a client has: an address, or one with a `*` for a single label of an https host
 * @param given the one of a request
 * @returns whether they are the same. The text decides (RFC 6749, 3.1.2.3; RFC 9700, 4.1.3), but for a default port.
 */
export function matchesRedirect(registered: string, given: string): boolean {
  const [left, right] = [normalized(registered), normalized(given)];
  if (left === undefined || right === undefined) return false;
  return left.includes("*") ? matchesWildcard(left, right) : left === right;
}

function matchesWildcard(pattern: string, given: string): boolean {
  const parts = /^https:\/\/\*((?:\.[A-Za-z0-9-]+){2,}(?::\d+)?)(\/[^*]*)?$/.exec(pattern);
  if (parts === null) return false;
  const [, host = "", path = ""] = parts;
  const expression = new RegExp(`^https://[A-Za-z0-9-]+${escaped(host)}${escaped(path)}$`);
  return expression.test(given);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** What browsers and parsers read differently is no address: user names, fragments, backslashes, blanks. */
function normalized(text: string): string | undefined {
  if (text.length > LONGEST || /[^\x21-\x7e]|[\\#]/.test(text)) return undefined;
  const parts = /^(https?|[a-z][a-z0-9+.-]*):\/\/([^/?]*)(.*)$/i.exec(text);
  const [, scheme = "", authority = "", rest = ""] = parts ?? [];
  if (parts === null || authority.includes("@")) return undefined;
  const isDefaultPort =
    (scheme === "https" && /:443$/.test(authority)) || (scheme === "http" && /:80$/.test(authority));
  return `${scheme}://${isDefaultPort ? authority.replace(/:\d+$/, "") : authority}${rest}`;
}

/** @returns why a redirect URI cannot be registered, undefined for one that can. */
export function redirectProblem(text: string): string | undefined {
  const address = normalized(text);
  if (address === undefined)
    return "it is no absolute address, or has a user name, a fragment or a backslash";
  const isLoopback = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)/.test(address);
  const isPrivate = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/.test(address);
  if (!address.startsWith("https://") && !isLoopback && !isPrivate) {
    return "it must be https, http on this machine, or a scheme with a dot (RFC 8252)";
  }
  if (address.includes("*") && !matchesWildcard(address, address.replace("*", "a"))) {
    return "a * stands for one whole label of an https host, before two or more others";
  }
  return undefined;
}
