/** A small package, and its publish. */
import { buildTarball } from "../../hex/tarball/build.ts";

export function tarballOf(name: string, version: string): Buffer {
  const metadata = {
    name,
    version,
    app: name,
    description: "d",
    build_tools: ["mix"],
    files: ["a"],
    requirements: {},
  };
  return buildTarball({ metadata, files: { a: "a" } }).tarball;
}

export function headersOf(key: string): Record<string, string> {
  return { authorization: key, "content-type": "application/octet-stream", "user-agent": "test" };
}

/** @returns the status of the answer. */
export async function publish(url: string, key: string, name: string, version: string): Promise<number> {
  const body = new Uint8Array(tarballOf(name, version));
  const response = await fetch(`${url}/api/publish`, { method: "POST", headers: headersOf(key), body });
  await response.body?.cancel();
  return response.status;
}
