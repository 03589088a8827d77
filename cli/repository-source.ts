/** A repository that a command is pointed at, by URL or folder. */
import { readFile, stat } from "node:fs/promises";
import { type Source, SourceError } from "../mirror/source.ts";
import { directorySource } from "../mirror/source-directory.ts";
import { httpSource } from "../mirror/source-http.ts";
import { SkepError } from "../schemas/errors.ts";

/** @throws SkepError `store_unavailable` when there is nobody to ask, which is no fault of the files. */
export async function openSource(place: string): Promise<Source> {
  if (!/^https?:\/\//.test(place)) {
    const found = await stat(place).catch(() => undefined);
    if (!found?.isDirectory()) throw new SkepError("usage", `${place} is neither a URL nor a folder`);
    return directorySource(place);
  }
  if (!URL.canParse(place)) throw new SkepError("usage", `${place} is not a URL`);
  const source = httpSource(place);
  try {
    await source.read("public_key", 65_536);
  } catch (error) {
    if (error instanceof SourceError && error.code === "unreachable") {
      throw new SkepError("store_unavailable", error.message, { cause: error });
    }
  }
  return source;
}

export async function readPublicKeyFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new SkepError(
      "usage",
      `the public key cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
}
