/** What the API works with. Everything with a side effect is handed in. */

import type { RepositoryName } from "../hex/ids.ts";
import type { TokenKeys } from "../schemas/access-token/keys.ts";
import type { ChangeWaiter } from "../store/change-waiter.ts";
import type { ObjectStore } from "../store/objects/store.ts";
import type { Sql } from "../store/postgres/pool.ts";
import type { BlockList } from "./limits/block-list.ts";
import type { Counters } from "./limits/counters.ts";
import type { ReadOnlySwitch } from "./read-only.ts";

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
  readonly trustEmails: boolean;
  /** Whether there is somebody who delivers mails; if not, none are written. */
  readonly mail: boolean;
  readonly limits: ApiLimits;
  /** Networks that are neither limited nor blocked: those of the CDN. */
  readonly trustedNetworks: readonly string[];
  /** Whether every change is refused, whatever the switch in the database says. */
  readonly readOnly: boolean;
  /** How long the next piece of an upload may take. */
  readonly uploadPieceMilliseconds: number;
}

/** How often; 0 is without a limit. */
export interface ApiLimits {
  /** Requests a minute of a user or an organization. */
  readonly account: number;
  /** Requests a minute of an address without a credential. */
  readonly address: number;
  /** Wrong passwords of an address in a quarter of an hour. */
  readonly signInFailures: number;
}

/** The part of a logger that is used here; pino's fits. */
export interface ApiLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Steps of a publish at which a test may make it fail or die. */
export type ApiStep = "stage" | "commit" | "wait";

/** A request that was answered, for metrics. */
export interface RequestSeen {
  readonly method: string;
  /** The pattern of its route, of which there are few. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

export interface ApiDependencies {
  /** Under the API's own role. */
  readonly sql: Sql;
  /** The private store: the API reaches no other. */
  readonly blobs: ObjectStore;
  readonly waiter: ChangeWaiter;
  readonly settings: ApiSettings;
  readonly counters: Counters;
  readonly blockList: BlockList;
  readonly readOnly: ReadOnlySwitch;
  /** Keys the hash of API keys; whoever has it and the database can still not tell a key. */
  readonly keySecret: string;
  /** Of access tokens; not those of the registry's files, which the API never has. */
  readonly tokenKeys: TokenKeys;
  readonly clock: () => Date;
  readonly random: (bytes: number) => Uint8Array;
  readonly log: ApiLog;
  /** Must not throw. */
  readonly onRequest?: ((request: RequestSeen) => void) | undefined;
  readonly onStep?: ((step: ApiStep, phase: "before" | "after") => Promise<void>) | undefined;
}
