/** Addresses of clients, in one form. Pure. */
import { isIP, BlockList as NetworkList } from "node:net";

/** @returns the address; one of IPv4 that came over an IPv6 socket as IPv4. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped !== undefined && isIP(mapped) === 4 ? mapped : address;
}

/** @returns what is counted together: whoever has one address of IPv6 usually has 2^64 (RFC 6177). */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const start = head === "" ? [] : head.split(":");
  const end = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - start.length - end.length);
  const groups = [...start, ...Array<string>(zeros).fill("0"), ...end];
  const first = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${first.join(":")}::/64`;
}

export function isLoopback(address: string): boolean {
  return address === "::1" || /^127\./.test(address);
}

/** @param networks `ADDRESS` or `ADDRESS/BITS` each */
export function networkList(networks: readonly string[]): { has(address: string): boolean } {
  // One for each family: in a list of both, a network of IPv6 has addresses of IPv4, too.
  const lists = { ipv4: new NetworkList(), ipv6: new NetworkList() };
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    lists[family].addSubnet(address, Number(bits ?? (family === "ipv6" ? 128 : 32)), family);
  }
  return {
    has(address) {
      const bare = address.split("%")[0] ?? "";
      const family = ({ 4: "ipv4", 6: "ipv6" } as const)[isIP(bare)];
      return family !== undefined && lists[family].check(bare, family);
    },
  };
}
