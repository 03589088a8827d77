/** Every setting there is: its name, what it may be, what it is unless given, and what it is for. */
import type { z } from "zod";
import * as is from "./parsers.ts";

export interface Setting<Schema extends z.ZodType<unknown, string> = z.ZodType<unknown, string>> {
  readonly schema: Schema;
  /** As it would be given. Absent: unset, or it follows from other settings, which `otherwise` tells. */
  readonly fallback?: string;
  readonly otherwise?: string;
  /** For people: help texts, and the table of the README. */
  readonly help: string;
}

interface Otherwise {
  readonly fallback?: string;
  readonly otherwise?: string;
}

function setting<Schema extends z.ZodType<unknown, string>, Rest extends Otherwise = object>(
  schema: Schema,
  help: string,
  rest?: Rest,
): Setting<Schema> & Rest {
  return Object.assign({ schema, help }, rest);
}

const by = (fallback: string) => ({ fallback });
const from = (otherwise: string) => ({ otherwise });

function storeSettings<const Prefix extends string>(prefix: Prefix, which: string, place: string) {
  const settings = {
    "": setting(is.storePlace, `the ${which} store: \`folder:PATH\` or \`s3://BUCKET/PREFIX\``, from(place)),
    _ENDPOINT: setting(is.httpUrl, `S3 service of the ${which} store, if it is not AWS`),
    _REGION: setting(is.text, `region of the ${which} store's bucket`),
    _ACCESS_KEY_ID: setting(is.text, `its access key; without one, as the AWS SDK finds credentials`),
    _SECRET_ACCESS_KEY: setting(is.secret, `the secret that belongs to it`),
    _FORCE_PATH_STYLE: setting(
      is.onOff,
      `\`endpoint/bucket\` instead of \`bucket.endpoint\``,
      from("`on` with an endpoint"),
    ),
  };
  const named = Object.entries(settings).map(([end, value]) => [prefix + end, value]);
  return Object.fromEntries(named) as {
    [End in keyof typeof settings as `${Prefix}${End}`]: (typeof settings)[End];
  };
}

export const SETTINGS = {
  SKEP_CONFIG_FILE: setting(
    is.path,
    "a file of `NAME=VALUE` lines with further settings; the environment wins",
  ),
  DATABASE_URL: setting(
    is.postgresUrl,
    "the Postgres to use",
    from("an embedded one in the data folder, to try things out"),
  ),
  SKEP_DATA_DIR: setting(is.path, "folder of whatever is kept in files", by("./skep-data")),

  SKEP_REPOSITORY: setting(
    is.repository,
    "name of the repository, which clients and signed files carry",
    by("local"),
  ),
  SKEP_IMPERSONATE_HEXPM: setting(
    is.onOff,
    "allows the name `hexpm`, which clients take for hex.pm itself",
    by("off"),
  ),
  SKEP_EXTERNAL_REPOSITORIES: setting(
    is.repositories,
    "repositories that dependencies may be in without being here, or `none`",
    from("`hexpm`"),
  ),
  SKEP_PUBLISHING_RULES: setting(
    is.oneOf("hexpm", "relaxed"),
    "`hexpm` demands a description and SPDX licences",
    from("`relaxed`, or `hexpm` for a repository of that name"),
  ),
  SKEP_ALLOW_REPLACE: setting(is.onOff, "whether a version may be published again for an hour", by("on")),
  SKEP_PUBLISH_WAIT_MS: setting(
    is.integer(0, 60_000),
    "how long a publish waits until installs see it",
    by("5000"),
  ),
  SKEP_JSON_TWINS: setting(
    is.onOff,
    "whether the API's answers about packages are also written as files, at `api/packages/` of the public store",
    by("off"),
  ),
  SKEP_DELETION_GRACE_SECONDS: setting(
    is.integer(0, 2_592_000),
    "from the last file that names a tarball to its deletion",
    by("3600"),
  ),

  SKEP_URL: setting(
    is.httpUrl,
    "where people reach this installation; the API is at `/api` below it",
    from("`http://localhost:` and the port"),
  ),
  SKEP_REPOSITORY_URL: setting(is.httpUrl, "where clients fetch from", from("`/repo` below SKEP_URL")),
  SKEP_DOCS_URL: setting(
    is.httpUrl,
    "host of documentation pages, prefixed by a package's name",
    from("SKEP_URL"),
  ),
  SKEP_PRIVATE_DOCS_URL: setting(is.httpUrl, "the same for private repositories", from("SKEP_DOCS_URL")),
  SKEP_HOST: setting(is.text, "address to listen on; `0.0.0.0` for every one", by("127.0.0.1")),
  SKEP_PORT: setting(is.integer(1, 65_535), "port to listen on", by("4000")),
  SKEP_TRUSTED_PROXIES: setting(is.integer(0, 10), "how many proxies in front set X-Forwarded-For", by("0")),
  SKEP_BASIC_AUTH: setting(is.onOff, "whether user name and password are accepted beside API keys", by("on")),
  SKEP_REQUIRE_USER_AGENT: setting(is.onOff, "whether requests to the API need a User-Agent", by("on")),
  SKEP_ACCOUNT_LIMIT: setting(
    is.integer(0, 1_000_000),
    "requests a minute of one user or organization; 0 for no limit",
    by("500"),
  ),
  SKEP_ADDRESS_LIMIT: setting(
    is.integer(0, 1_000_000),
    "requests a minute of one address without a credential; 0 for no limit",
    by("100"),
  ),
  SKEP_TRUSTED_NETWORKS: setting(
    is.networks,
    "addresses of the CDN or of monitoring, such as `192.0.2.0/24,2001:db8::/32`, that are neither limited nor blocked",
  ),
  SKEP_READ_ONLY: setting(
    is.onOff,
    "whether the API refuses every change; `skep read-only` does it while it runs",
    by("off"),
  ),
  SKEP_SURROGATE_HEADERS: setting(
    is.onOff,
    "whether `/repo` and `skep edge` send Surrogate-Key, for a CDN that fetches from there",
    from("`on` with a CDN; `off` for `edge`"),
  ),

  SKEP_SMTP_URL: setting(
    is.smtpUrl,
    "the server that mails are given to: `smtp://user:password@host:587`, `smtps://` for TLS at once",
    from("`serve` writes them to `mail` in the data folder"),
  ),
  SKEP_MAIL_FROM: setting(
    is.mailbox,
    "whom mails come from: an address, or `Name <address>`",
    from("`skep@` and the host of SKEP_URL, in files"),
  ),
  SKEP_VERIFY_EMAILS: setting(
    is.onOff,
    "whether a new account has to open a link that is mailed to its address",
    from("`on` with SKEP_SMTP_URL"),
  ),

  SKEP_KEY_SECRET: setting(
    is.longSecret(32),
    "secret that keys the hashes of API keys and encrypts second factors",
    from("`serve` makes one and keeps it in the data folder"),
  ),
  SKEP_SIGNING_KEY_FILE: setting(
    is.path,
    "the key that signs: RSA, PEM; `serve` makes one when there is none",
    from("`signing-key.pem` in the data folder"),
  ),
  SKEP_TOKEN_KEY_FILE: setting(
    is.path,
    "the key of access tokens: P-256, PEM; `serve` makes one when there is none. Put a new one first to replace it",
    from("`token-key.pem` in the data folder"),
  ),

  SKEP_TOKEN_KEY_SET: setting(
    is.keySetPlace,
    "where `skep edge` finds the public keys of access tokens: a URL, or a file of the same content",
    from("`/.well-known/jwks.json` below SKEP_URL"),
  ),

  ...storeSettings("SKEP_PUBLIC_STORE", "public", "`public` in the data folder"),
  ...storeSettings("SKEP_PRIVATE_STORE", "private", "`private` in the data folder"),
  SKEP_UNCONDITIONAL_STORE: setting(
    is.oneOf("refuse", "warn"),
    "what to do with a store that ignores conditional writes",
    by("refuse"),
  ),

  SKEP_CDN: setting(
    is.oneOf("none", "fastly", "varnish"),
    "the CDN in front of the public store",
    by("none"),
  ),
  SKEP_CDN_URL: setting(
    is.httpUrl,
    "where the generator reads back what the CDN serves",
    from("SKEP_REPOSITORY_URL"),
  ),
  SKEP_CDN_PRIVATE: setting(
    is.onOff,
    "whether the CDN passes private files on to `skep edge`; the generator then reads them back as well",
    by("off"),
  ),
  SKEP_FASTLY_SERVICE_ID: setting(is.text, "Fastly's service"),
  SKEP_FASTLY_TOKEN: setting(is.secret, "token with the scope `purge_select`"),
  SKEP_VARNISH_URL: setting(is.httpUrl, "where Varnish takes PURGE requests"),
  SKEP_VARNISH_TOKEN: setting(is.secret, "the token of its settings"),

  SKEP_LOG_LEVEL: setting(
    is.oneOf("debug", "info", "warn", "error", "silent"),
    "least level that is logged",
    by("info"),
  ),
  SKEP_LOG_FORMAT: setting(
    is.oneOf("text", "json"),
    "form of the log",
    from("`text` on a terminal, else `json`"),
  ),
  SKEP_HEALTH_PORT: setting(
    is.integer(1, 65_535),
    "port of `/live`, `/ready`, `/started` and `/metrics`, which is not for the public",
    from("none"),
  ),
  SKEP_HEALTH_HOST: setting(is.text, "address of that port", from("SKEP_HOST")),
  SKEP_ERROR_DSN: setting(
    is.sentryDsn,
    "where unexpected errors are reported to, in the way of Sentry: `https://KEY@HOST/PROJECT`",
    from("nowhere"),
  ),
  SKEP_STOP_SECONDS: setting(is.integer(1, 600), "how long a stop waits for what was begun", by("30")),
  SKEP_DEBUG: setting(is.onOff, "whether errors come with their stack", by("off")),
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof SETTINGS;

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** What the settings are; undefined where nothing was given and there is no fallback. */
export type Values = {
  readonly [Name in SettingName]:
    | z.output<(typeof SETTINGS)[Name]["schema"]>
    | ((typeof SETTINGS)[Name] extends { readonly fallback: string } ? never : undefined);
};
