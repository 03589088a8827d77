/** What pages tell of this installation to build tools. */
import { activePublicKey } from "../store/queries/signing-key.ts";
import type { Installation } from "./instructions.ts";
import type { Visit } from "./visit.ts";

export async function installationOf({ deps }: Visit): Promise<Installation> {
  const { settings, sql } = deps;
  const key = await activePublicKey(sql);
  return {
    name: settings.repositoryName,
    url: settings.publicUrl,
    repositoryUrl: settings.repositoryUrl,
    fingerprint: key?.fingerprint,
    publicKey: key?.publicKey,
  };
}
