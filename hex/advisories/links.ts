/** Where an advisory is to be read. */

/** For programs. */
export function advisoryApiUrl(id: string): string {
  return `https://api.osv.dev/v1/vulns/${encodeURIComponent(id)}`;
}

/** For people. */
export function advisoryPageUrl(id: string): string {
  return `https://osv.dev/vulnerability/${encodeURIComponent(id)}`;
}
