/**
 * The secrets that `skep serve` makes for itself: the key that signs, the key of access tokens, and the secret that
 * API keys are hashed with.
 */
import { generateKeyPair, randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { pemSigner } from "../proto/pem-signer.ts";
import type { Signer } from "../proto/signer.ts";
import { parseTokenKeys, type TokenKeys } from "../schemas/access-token/keys.ts";
import { SkepError } from "../schemas/errors.ts";

const KEY_BITS = 2048;
const SECRET_BYTES = 32;
const SHORTEST_SECRET = 32;

/**
 * @param file RSA private key in PEM
 * @param refuseNew why a missing key must not be replaced by a new one; undefined when it may
 * @throws SkepError `signing_key_invalid`; ProtoError `key_invalid`
 */
export async function signingKey(file: string, refuseNew: string | undefined): Promise<Signer> {
  const pem = await readSecretFile(file, "signing_key_invalid");
  if (pem !== undefined) return pemSigner(pem);
  if (refuseNew !== undefined)
    throw new SkepError("signing_key_invalid", `there is no signing key in ${file}: ${refuseNew}`);
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: KEY_BITS });
  return pemSigner(await keepSecret(file, privateKey.export({ type: "pkcs8", format: "pem" }).toString()));
}

/**
 * @param refuseNew as for {@link signingKey}
 * @throws SkepError `config_invalid`
 */
export async function keySecret(dataFolder: string, refuseNew: string | undefined): Promise<string> {
  const file = join(dataFolder, "key-secret");
  const kept = (await readSecretFile(file, "config_invalid"))?.trim();
  if (kept !== undefined && kept.length < SHORTEST_SECRET) {
    throw new SkepError("config_invalid", `${file} is damaged; restore it from a backup`);
  }
  if (kept !== undefined) return kept;
  if (refuseNew !== undefined)
    throw new SkepError(
      "config_invalid",
      `SKEP_KEY_SECRET is not set, and there is no ${file}: ${refuseNew}`,
    );
  return (await keepSecret(file, `${randomBytes(SECRET_BYTES).toString("hex")}\n`)).trim();
}

/**
 * The keys of access tokens; made when there are none, as all that a lost one costs is that people sign in again.
 * @throws SkepError `config_invalid`
 */
export async function ensureTokenKeys(file: string): Promise<TokenKeys> {
  const pem = await readSecretFile(file, "config_invalid");
  if (pem !== undefined) return parseTokenKeys(pem, file);
  const { privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
  const made = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return parseTokenKeys(await keepSecret(file, made), file);
}

/** As {@link ensureTokenKeys}, but for a file that must be there. @throws SkepError `config_invalid` */
export async function readTokenKeys(file: string): Promise<TokenKeys> {
  const pem = await readSecretFile(file, "config_invalid");
  if (pem === undefined)
    throw new SkepError("config_invalid", `SKEP_TOKEN_KEY_FILE: there is no file ${file}`);
  return parseTokenKeys(pem, file);
}

/** @returns whether others than the owner may read the file. */
export async function isOpenToOthers(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && process.platform !== "win32" && (found.mode & 0o077) !== 0;
}

async function readSecretFile(
  file: string,
  code: "signing_key_invalid" | "config_invalid",
): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new SkepError(code, `${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/**
 * Keeps a secret, durable and whole, unless there is one by now.
 * @returns the one that is kept.
 */
async function keepSecret(file: string, text: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  try {
    // Unlike a rename it takes nothing away: of two that start together the first one's stays.
    await link(draft, file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await unlink(draft);
  }
  await syncFolder(dirname(file));
  return readFile(file, "utf8");
}

/** Makes what was put into the folder, or renamed in it, outlast a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  await handle.sync().finally(() => handle.close());
}
