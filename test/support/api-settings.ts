/** Settings of an API under test. */
import type { ApiSettings } from "../../api/settings.ts";
import { repositoryName, trusted } from "../../hex/ids.ts";

export const NAME = trusted(repositoryName, "local");
export const KEY_SECRET = "secret of the tests";

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
  verifyEmails: true,
  uploadPieceMilliseconds: 10_000,
};
