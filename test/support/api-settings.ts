/** Settings of an API under test. */
import { generateKeyPairSync } from "node:crypto";
import type { ApiSettings } from "../../api/settings.ts";
import { repositoryName, trusted } from "../../hex/ids.ts";
import { parseTokenKeys } from "../../schemas/access-token/keys.ts";

export const NAME = trusted(repositoryName, "local");
export const KEY_SECRET = "secret-of-the-tests-0123456789abcdef";
/** The file of a key of access tokens. */
export const TOKEN_KEY_PEM = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();
export const TOKEN_KEYS = parseTokenKeys(TOKEN_KEY_PEM, "a test");

export const SETTINGS: Omit<ApiSettings, "publicUrl" | "repositoryUrl"> = {
  docsUrl: "http://docs.example",
  privateDocsUrl: "http://private-docs.example",
  repositoryName: NAME,
  publishingRules: "relaxed",
  externalRepositories: [trusted(repositoryName, "hexpm")],
  allowReplace: true,
  basicAuth: true,
  requireUserAgent: true,
  trustedProxies: 0,
  publishWaitMilliseconds: 5_000,
  trustEmails: true,
  mail: true,
  limits: { account: 0, address: 0, signInFailures: 0 },
  trustedNetworks: [],
  readOnly: false,
  uploadPieceMilliseconds: 10_000,
};
