/** Who is at the other end of the connection. */
import type { IncomingMessage, ServerResponse } from "node:http";

/** What @hono/node-server hands in; absent under tests without a socket. */
export interface NodeBindings {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
}

/**
 * X-Forwarded-For counts only as far as proxies of ours have written it: anybody can send the rest.
 * @param trusted how many proxies are in front
 */
export function clientAddress(forwarded: string | null, peer: string, trusted: number): string {
  if (trusted === 0) return peer;
  const hops = [...(forwarded ?? "").split(",").map((hop) => hop.trim()), peer].filter((hop) => hop !== "");
  return hops[Math.max(0, hops.length - 1 - trusted)] ?? peer;
}

/** @returns the header, undefined when there is none, or several, which nobody honest sends. */
export function singleHeader(name: string, headers: Headers, node: NodeBindings): string | undefined {
  const raw = node.incoming?.rawHeaders ?? [];
  const count = raw.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
  return count > 1 ? undefined : (headers.get(name) ?? undefined);
}
