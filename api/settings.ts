/** What the API works with. Everything with a side effect is handed in. */
import type { RepositoryName } from "../hex/ids.ts";
import type { ChangeWaiter } from "../store/change-waiter.ts";
import type { ObjectStore } from "../store/objects/store.ts";
import type { Sql } from "../store/postgres/pool.ts";

export interface ApiSettings {
  /** Where browsers and clients reach this installation, without a trailing slash: the API is at `/api`. */
  readonly publicUrl: string;
  /** Where clients fetch from, without a trailing slash. */
  readonly repositoryUrl: string;
  /** Host of the documentation pages, to which a package's subdomain is prefixed. */
  readonly docsUrl: string;
  /** The same for packages of private repositories. */
  readonly privateDocsUrl: string;
  /** The public repository's name. */
  readonly repositoryName: RepositoryName;
  /** `hexpm`: a description and SPDX licences are required. */
  readonly publishingRules: "hexpm" | "relaxed";
  /** Repositories that a dependency may be in although we do not hold them; the first is the default. */
  readonly externalRepositories: readonly RepositoryName[];
  /** Whether a version may be published again while it is young. */
  readonly allowReplace: boolean;
  readonly basicAuth: boolean;
  readonly requireUserAgent: boolean;
  /** How many proxies in front set X-Forwarded-For; 0: the peer is the client. */
  readonly trustedProxies: number;
  /** How long a publish waits for installs to see it. */
  readonly publishWaitMilliseconds: number;
  /** Whether a new account's address counts as verified without a mail. */
  readonly verifyEmails: boolean;
  /** How long the next piece of an upload may take. */
  readonly uploadPieceMilliseconds: number;
}

/** The part of a logger that is used here; pino's fits. */
export interface ApiLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Steps of a publish at which a test may make it fail or die. */
export type ApiStep = "stage" | "commit" | "wait";

export interface ApiDependencies {
  /** Under the API's own role. */
  readonly sql: Sql;
  /** The private store: the API reaches no other. */
  readonly blobs: ObjectStore;
  readonly waiter: ChangeWaiter;
  readonly settings: ApiSettings;
  /** Keys the hash of API keys; whoever has it and the database can still not tell a key. */
  readonly keySecret: string;
  readonly clock: () => Date;
  readonly random: (bytes: number) => Uint8Array;
  readonly log: ApiLog;
  readonly onStep?: ((step: ApiStep, phase: "before" | "after") => Promise<void>) | undefined;
}
