import { expect, it } from "vitest";
import { clientAddress } from "./client.ts";

it.each<[forwarded: string | null, trusted: number, address: string]>([
  [null, 0, "peer"],
  ["1.1.1.1", 0, "peer"],
  ["1.1.1.1", 1, "1.1.1.1"],
  ["6.6.6.6, 1.1.1.1", 1, "1.1.1.1"],
  ["6.6.6.6, 1.1.1.1, 2.2.2.2", 2, "1.1.1.1"],
  ["1.1.1.1", 3, "1.1.1.1"],
  [null, 2, "peer"],
])("X-Forwarded-For %s behind %d proxies: %s", (forwarded, trusted, address) => {
  expect(clientAddress(forwarded, "peer", trusted)).toBe(address);
});
