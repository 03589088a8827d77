/** The generator's own token for private files, which it reads back as any other through the CDN. */
import { createPublicKey } from "node:crypto";
import type { Signer } from "../../proto/signer.ts";
import { GENERATOR_TOKEN_SECONDS, generatorTokenInput } from "../../schemas/access-token/generator-token.ts";
import { keyIdOf } from "../../schemas/access-token/keys.ts";

/**
 * @param clock what the time is
 * @returns a function that gives a token that is valid for half of its life at least; a signature each time that it
 *   needs a new one, which several callers share.
 */
export function createReaderToken(signer: Signer, clock: () => Date): () => Promise<string> {
  const keyId = keyIdOf(createPublicKey(signer.publicKeyPem));
  let made = Number.NEGATIVE_INFINITY;
  let token: Promise<string> | undefined;

  async function make(now: number): Promise<string> {
    const input = generatorTokenInput(keyId, now);
    const signature = await signer.sign(Buffer.from(input));
    return `${input}.${Buffer.from(signature).toString("base64url")}`;
  }

  return () => {
    const now = Math.floor(clock().getTime() / 1000);
    if (token === undefined || Math.abs(now - made) >= GENERATOR_TOKEN_SECONDS / 2) {
      made = now;
      const making = make(now);
      token = making;
      making.catch(() => {
        if (token === making) token = undefined;
      });
    }
    return token;
  };
}
