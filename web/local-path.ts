/** Where a sign-in may lead to afterwards: a place of this site and nothing else. Pure. */

// Browsers read a backslash as a slash and drop tabs and line ends; proxies may decode what is escaped.
const MISREAD = /[\\\t\r\n]|%(?:2f|5c|09|0a|0d)/i;
const LONGEST = 2_048;

/** @returns the path, undefined for anything that a browser or proxy may take for another site's address. */
export function localPath(text: string | undefined | null): string | undefined {
  if (text == null || text.length > LONGEST) return undefined;
  // Judged without the query: that is data, and carries addresses such as a redirect URI.
  const [path = ""] = text.split(/[?#]/, 1);
  if (!path.startsWith("/") || path.startsWith("//") || MISREAD.test(path)) return undefined;
  if (/[^\x21-\x7e]/.test(text) || text.includes("\\")) return undefined;
  return text;
}
