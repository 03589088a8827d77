import { generateKeyPairSync } from "node:crypto";
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureTokenKeys, isOpenToOthers, keySecret, readTokenKeys, signingKey } from "./data-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-data-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the signing key", () => {
  it("is made once, by one of several that start together, for nobody else to read", async () => {
    const file = join(folder, "deep/key.pem");
    const signers = await Promise.all([1, 2, 3].map(() => signingKey(file, undefined)));
    const again = await signingKey(file, "it must be there");
    expect(new Set([...signers, again].map(({ fingerprint }) => fingerprint)).size).toBe(1);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, "deep"))).toEqual(["key.pem"]);
  });

  it("is not replaced when it is lost or damaged", async () => {
    const file = join(folder, "key.pem");
    await expect(signingKey(file, "restore it")).rejects.toThrow(
      `there is no signing key in ${file}: restore it`,
    );
    await writeFile(file, "damaged");
    await expect(signingKey(file, undefined)).rejects.toThrow("is not a private key in PEM");
    expect((await stat(file)).size).toBe(7);
  });

  it("is reported when others may read it", async () => {
    const file = join(folder, "key.pem");
    await signingKey(file, undefined);
    expect(await isOpenToOthers(file)).toBe(false);
    await chmod(file, 0o640);
    expect(await isOpenToOthers(file)).toBe(true);
    expect(await isOpenToOthers(join(folder, "none"))).toBe(false);
  });
});

describe("the secret of API keys", () => {
  it("is made once, and long enough", async () => {
    const secrets = await Promise.all([keySecret(folder, undefined), keySecret(folder, undefined)]);
    expect(secrets[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(secrets[1]).toBe(secrets[0]);
    expect(await keySecret(folder, "it must be there")).toBe(secrets[0]);
    expect((await stat(join(folder, "key-secret"))).mode & 0o777).toBe(0o600);
  });

  it("is not replaced when it is lost or damaged", async () => {
    await expect(keySecret(folder, "restore it")).rejects.toThrow(
      /SKEP_KEY_SECRET is not set, .*: restore it/,
    );
    await writeFile(join(folder, "key-secret"), "short\n");
    await expect(keySecret(folder, undefined)).rejects.toThrow("is damaged; restore it from a backup");
  });
});

describe("the key of access tokens", () => {
  const pem = (privateKey: { export(options: object): string | Buffer }) =>
    privateKey.export({ type: "pkcs8", format: "pem" }).toString();

  it("is made once", async () => {
    const file = join(folder, "token-key.pem");
    const made = await Promise.all([ensureTokenKeys(file), ensureTokenKeys(file)]);
    const again = await readTokenKeys(file);
    expect(made[0]?.publicKeys).toEqual(again.publicKeys);
    expect(made[1]?.publicKeys).toEqual(again.publicKeys);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("may have others behind it, whose tokens stay valid", async () => {
    const file = join(folder, "token-key.pem");
    const [first, second] = [1, 2].map(() => generateKeyPairSync("ec", { namedCurve: "P-256" }));
    await writeFile(file, pem(first?.privateKey as never) + pem(second?.privateKey as never));
    const keys = await readTokenKeys(file);
    expect(keys.privateKey.equals(first?.privateKey as never)).toBe(true);
    expect(keys.publicKeys.map((key) => key.equals(second?.publicKey as never))).toEqual([false, true]);
  });

  it("is refused by name when it is none", async () => {
    const file = join(folder, "token-key.pem");
    await expect(readTokenKeys(file)).rejects.toThrow(`SKEP_TOKEN_KEY_FILE: there is no file ${file}`);
    const wrong = [
      ["", "it holds no PEM key"],
      [pem(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey), "must be of the curve P-256"],
      [pem(generateKeyPairSync("ed25519").privateKey), "must be of the curve P-256"],
      [
        generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "pem" }),
        "something else than private keys",
      ],
    ] as const;
    for (const [text, why] of wrong) {
      await writeFile(file, text);
      await expect(ensureTokenKeys(file)).rejects.toThrow(why);
    }
  });
});
