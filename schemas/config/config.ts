/**
 * What each role of the program is configured with. A role gets what it needs and nothing else, and the API
 * refuses to run with what only the generator may have.
 */
import { join } from "node:path";
import { type RepositoryName, repositoryName, trusted } from "../../hex/ids.ts";
import { type CdnConfig, cdnConfig } from "./cdn.ts";
import type { KeySetPlace } from "./parsers.ts";
import { readSettings, refuseProblems, type Settings, type Source } from "./read.ts";
import type { Secret } from "./secret.ts";
import type { SettingName, Values } from "./settings.ts";
import { refuseOverlap, type StoreConfig, storeConfig } from "./stores.ts";

export interface RepositoryConfig {
  readonly name: RepositoryName;
  /** Where clients fetch from. */
  readonly url: string;
}

export interface LogConfig {
  readonly level: Values["SKEP_LOG_LEVEL"];
  /** Undefined: as it suits where it is written to. */
  readonly format: Values["SKEP_LOG_FORMAT"];
}

/** What every role has. */
export interface CommonConfig {
  /** Undefined: an embedded Postgres in the data folder. */
  readonly databaseUrl: Secret | undefined;
  readonly dataFolder: string;
  readonly repository: RepositoryConfig;
  readonly log: LogConfig;
  readonly stopSeconds: number;
  /** Where a service tells its health and metrics. */
  readonly health: { readonly host: string; readonly port: number } | undefined;
  /** Where unexpected errors are reported to. */
  readonly errorDsn: Secret | undefined;
}

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  /** Where people reach this installation, without a slash at its end. */
  readonly url: string;
  readonly trustedProxies: number;
}

export interface PublishingConfig {
  readonly rules: "hexpm" | "relaxed";
  readonly externalRepositories: readonly RepositoryName[];
  readonly allowReplace: boolean;
  readonly waitMilliseconds: number;
  readonly basicAuth: boolean;
  readonly requireUserAgent: boolean;
  readonly docsUrl: string;
  readonly privateDocsUrl: string;
}

/** How mails leave. */
export type MailConfig =
  | { readonly kind: "smtp"; readonly url: Secret; readonly from: string }
  | { readonly kind: "folder"; readonly path: string; readonly from: string }
  /** Nobody is mailed to. */
  | { readonly kind: "none" };

/** What bounds the use of the API. */
export interface OperationConfig {
  /** Requests a minute; 0: without a limit. */
  readonly accountLimit: number;
  readonly addressLimit: number;
  /** Networks that are neither limited nor blocked. */
  readonly trustedNetworks: readonly string[];
  readonly readOnly: boolean;
}

export interface ApiConfig extends CommonConfig {
  readonly operation: OperationConfig;
  readonly databaseUrl: Secret;
  readonly mail: MailConfig;
  readonly verifyEmails: boolean;
  readonly http: HttpConfig;
  readonly publishing: PublishingConfig;
  readonly keySecret: Secret;
  readonly tokenKeyFile: string;
  readonly privateStore: StoreConfig;
  readonly unconditionalStore: "refuse" | "warn";
}

export interface GeneratorConfig extends CommonConfig {
  readonly publicStore: StoreConfig;
  readonly privateStore: StoreConfig;
  readonly unconditionalStore: "refuse" | "warn";
  readonly signingKeyFile: string;
  readonly cdn: CdnConfig;
  readonly deletionGraceSeconds: number;
  /** What the API's answers as files say of where things are; undefined: there are none. */
  readonly twins:
    | { readonly publicUrl: string; readonly docsUrl: string; readonly privateDocsUrl: string }
    | undefined;
}

export interface EdgeConfig extends CommonConfig {
  readonly publicStore: StoreConfig;
  readonly http: HttpConfig;
  readonly surrogateHeaders: boolean;
  /** Of access tokens. */
  readonly keySet: KeySetPlace;
  /** How API keys are looked up; undefined: tokens open alone. */
  readonly apiKeys: { readonly databaseUrl: Secret; readonly secret: Secret } | undefined;
}

export interface ServeConfig extends GeneratorConfig {
  readonly operation: OperationConfig;
  readonly mail: MailConfig;
  readonly verifyEmails: boolean;
  readonly http: HttpConfig;
  readonly publishing: PublishingConfig;
  /** Undefined: made at the first start, and kept in the data folder. */
  readonly keySecret: Secret | undefined;
  readonly tokenKeyFile: string;
  readonly surrogateHeaders: boolean;
}

/** For `skep status`, which changes nothing: no key, no token. */
export interface StatusConfig extends CommonConfig {
  readonly publicStore: StoreConfig;
  /** Where to read what clients get, without a slash at its end; undefined where no setting says so. */
  readonly readUrl: string | undefined;
  /** Whether the settings demand read-only mode. */
  readonly readOnly: boolean;
}

/** For commands that work on the database alone. */
export interface ToolConfig extends CommonConfig {
  /** Undefined: that of the data folder. */
  readonly keySecret: Secret | undefined;
  /** Where people reach this installation, without a slash at its end. */
  readonly url: string;
  /** Whether some process delivers mails. */
  readonly mail: boolean;
  readonly externalRepositories: readonly RepositoryName[];
}

/** @throws SkepError `config_invalid`, as all of these do. */
export function readServeConfig(source: Source): ServeConfig {
  return read(source, (settings, problems) => {
    const generator = generatorConfig(settings.values, problems);
    const { values } = settings;
    refuseSharedPort(values, problems);
    const folder = { kind: "folder", path: join(values.SKEP_DATA_DIR, "mail") } as const;
    return {
      ...generator,
      ...mailConfig(values, folder, problems),
      operation: operationConfig(values),
      http: httpConfig(settings.values),
      publishing: publishingConfig(settings.values),
      keySecret: settings.values.SKEP_KEY_SECRET,
      tokenKeyFile: tokenKeyFile(values),
      surrogateHeaders: settings.values.SKEP_SURROGATE_HEADERS ?? generator.cdn.kind !== "none",
    };
  });
}

/** @throws SkepError `config_invalid`, also when it holds what the API must not have. */
export function readApiConfig(source: Source): ApiConfig {
  return read(source, ({ values, origins }, problems) => {
    const { DATABASE_URL: databaseUrl, SKEP_KEY_SECRET: keySecret } = values;
    // A data folder of its own would hold a key that no other process of the API has.
    if (values.SKEP_TOKEN_KEY_FILE === undefined) problems.push(missing("SKEP_TOKEN_KEY_FILE", "api"));
    if (databaseUrl === undefined) problems.push(missing("DATABASE_URL", "api"));
    if (keySecret === undefined) problems.push(missing("SKEP_KEY_SECRET", "api"));
    for (const name of GENERATOR_ONLY) {
      if (origins.has(name)) {
        problems.push(`${name} must not be given to the API: whoever takes over the API would have it`);
      }
    }
    const common = commonConfig(values, problems);
    refuseSharedPort(values, problems);
    const privateStore = storeConfig(values, "PRIVATE", problems);
    const mail = mailConfig(values, { kind: "none" }, problems);
    if (databaseUrl === undefined || keySecret === undefined) return undefined;
    return {
      ...common,
      ...mail,
      databaseUrl,
      keySecret,
      tokenKeyFile: tokenKeyFile(values),
      operation: operationConfig(values),
      http: httpConfig(values),
      publishing: publishingConfig(values),
      privateStore,
      unconditionalStore: values.SKEP_UNCONDITIONAL_STORE,
    };
  });
}

/** @throws SkepError `config_invalid`, also when it holds what a server of files must not have. */
export function readEdgeConfig(source: Source): EdgeConfig {
  return read(source, ({ values, origins }, problems) => {
    const { DATABASE_URL: databaseUrl, SKEP_KEY_SECRET: secret, SKEP_TOKEN_KEY_SET: place } = values;
    for (const name of NOT_FOR_EDGE) {
      if (origins.has(name)) problems.push(`${name} must not be given to \`skep edge\`, which only reads`);
    }
    // Its fallback is the address of this very process.
    if (place === undefined && values.SKEP_URL === undefined) {
      problems.push(
        "SKEP_URL or SKEP_TOKEN_KEY_SET is missing, where the keys of access tokens are read from",
      );
    }
    if ((databaseUrl === undefined) !== (secret === undefined)) {
      problems.push(
        "DATABASE_URL and SKEP_KEY_SECRET go together: they look API keys up; leave out both for tokens alone",
      );
    }
    refuseSharedPort(values, problems);
    return {
      ...commonConfig(values, problems),
      publicStore: storeConfig(values, "PUBLIC", problems),
      http: httpConfig(values),
      surrogateHeaders: values.SKEP_SURROGATE_HEADERS ?? false,
      keySet: place ?? { kind: "url", url: keySetUrl(values) },
      apiKeys: databaseUrl && secret && { databaseUrl, secret },
    };
  });
}

/** @param otherwise where mails go without SMTP */
function mailConfig(
  values: Values,
  otherwise: { readonly kind: "folder"; readonly path: string } | { readonly kind: "none" },
  problems: string[],
): { readonly mail: MailConfig; readonly verifyEmails: boolean } {
  const { SKEP_SMTP_URL: url, SKEP_MAIL_FROM: given } = values;
  const verifyEmails = values.SKEP_VERIFY_EMAILS ?? url !== undefined;
  if (url !== undefined) {
    if (given === undefined) problems.push("SKEP_MAIL_FROM is missing, which SKEP_SMTP_URL needs");
    return { mail: { kind: "smtp", url, from: given ?? "" }, verifyEmails };
  }
  if (otherwise.kind === "none" && verifyEmails) {
    problems.push("SKEP_SMTP_URL is missing, which SKEP_VERIFY_EMAILS=on needs");
  }
  const from = given ?? `skep@${new URL(publicUrl(values)).hostname}`;
  return { mail: otherwise.kind === "none" ? otherwise : { ...otherwise, from }, verifyEmails };
}

/** @throws SkepError `config_invalid` */
export function readGeneratorConfig(source: Source): GeneratorConfig & { readonly databaseUrl: Secret } {
  return read(source, ({ values }, problems) => {
    const databaseUrl = values.DATABASE_URL;
    if (databaseUrl === undefined) problems.push(missing("DATABASE_URL", "generator"));
    const config = generatorConfig(values, problems);
    return databaseUrl && { ...config, databaseUrl };
  });
}

/** As the generator's, for a command that is run by hand. @throws SkepError `config_invalid` */
export function readRebuildConfig(source: Source): GeneratorConfig {
  return read(source, ({ values }, problems) => generatorConfig(values, problems));
}

/** @throws SkepError `config_invalid` */
export function readToolConfig(source: Source): ToolConfig {
  return read(source, ({ values }, problems) => ({
    ...commonConfig(values, problems),
    keySecret: values.SKEP_KEY_SECRET,
    url: publicUrl(values),
    // With a Postgres of its own it is `skep serve`, which puts them into files without SMTP.
    mail: values.SKEP_SMTP_URL !== undefined || values.DATABASE_URL === undefined,
    externalRepositories: publishingConfig(values).externalRepositories,
  }));
}

/** @throws SkepError `config_invalid` */
export function readStatusConfig(source: Source): StatusConfig {
  return read(source, ({ values }, problems) => {
    const common = commonConfig(values, problems);
    const isServe = values.DATABASE_URL === undefined;
    const isSaid = values.SKEP_REPOSITORY_URL !== undefined || values.SKEP_URL !== undefined;
    return {
      ...common,
      publicStore: storeConfig(values, "PUBLIC", problems),
      readUrl: values.SKEP_CDN_URL ?? (isServe || isSaid ? common.repository.url : undefined),
      readOnly: values.SKEP_READ_ONLY,
    };
  });
}

/** As {@link readToolConfig}, for a command that also brings in bytes. @throws SkepError `config_invalid` */
export function readImportConfig(source: Source): ToolConfig & { readonly privateStore: StoreConfig } {
  const config = readToolConfig(source);
  return read(source, ({ values }, problems) => ({
    ...config,
    privateStore: storeConfig(values, "PRIVATE", problems),
  }));
}

const HEXPM = trusted(repositoryName, "hexpm");

/** What would let the API sign, purge, or write what clients fetch. */
const GENERATOR_ONLY = [
  "SKEP_SIGNING_KEY_FILE",
  "SKEP_FASTLY_TOKEN",
  "SKEP_VARNISH_TOKEN",
  "SKEP_PUBLIC_STORE_ACCESS_KEY_ID",
  "SKEP_PUBLIC_STORE_SECRET_ACCESS_KEY",
] as const satisfies readonly SettingName[];

/** What would let a server of files sign, purge, or reach more than what it serves. */
const NOT_FOR_EDGE = [
  "SKEP_SIGNING_KEY_FILE",
  "SKEP_TOKEN_KEY_FILE",
  "SKEP_FASTLY_TOKEN",
  "SKEP_VARNISH_TOKEN",
  "SKEP_PRIVATE_STORE_ACCESS_KEY_ID",
  "SKEP_PRIVATE_STORE_SECRET_ACCESS_KEY",
  "SKEP_SMTP_URL",
] as const satisfies readonly SettingName[];

/** Tells everything that is wrong in one error. @param build gives undefined only after a problem */
function read<T extends object>(
  source: Source,
  build: (settings: Settings, problems: string[]) => T | undefined,
): T {
  const problems: string[] = [];
  const config = build(readSettings(source), problems);
  refuseProblems(problems);
  if (config === undefined) throw new TypeError("no configuration, and no reason");
  return deepFreeze(config);
}

function missing(name: SettingName, role: string): string {
  return `${name} is missing, which \`skep ${role}\` needs`;
}

function commonConfig(values: Values, problems: string[]): CommonConfig {
  const name = values.SKEP_REPOSITORY;
  if (name === HEXPM && !values.SKEP_IMPERSONATE_HEXPM) {
    problems.push(
      "SKEP_REPOSITORY is hexpm, which clients take for hex.pm itself; choose another name, or set " +
        "SKEP_IMPERSONATE_HEXPM=on if that is what you want",
    );
  }
  if (values.SKEP_EXTERNAL_REPOSITORIES?.includes(name)) {
    problems.push(`SKEP_EXTERNAL_REPOSITORIES names ${name}, which is this repository`);
  }
  return {
    databaseUrl: values.DATABASE_URL,
    dataFolder: values.SKEP_DATA_DIR,
    repository: { name, url: values.SKEP_REPOSITORY_URL ?? `${publicUrl(values)}/repo` },
    log: { level: values.SKEP_LOG_LEVEL, format: values.SKEP_LOG_FORMAT },
    stopSeconds: values.SKEP_STOP_SECONDS,
    health: healthConfig(values, problems),
    errorDsn: values.SKEP_ERROR_DSN,
  };
}

function healthConfig(values: Values, problems: string[]): CommonConfig["health"] {
  const { SKEP_HEALTH_PORT: port, SKEP_HEALTH_HOST: host } = values;
  if (port !== undefined) return { host: host ?? values.SKEP_HOST, port };
  if (host !== undefined) problems.push("SKEP_HEALTH_HOST is set, but SKEP_HEALTH_PORT is not");
  return undefined;
}

/** What everybody reaches must not tell what is for operators. */
function refuseSharedPort(values: Values, problems: string[]): void {
  if (values.SKEP_HEALTH_PORT === values.SKEP_PORT) {
    problems.push("SKEP_HEALTH_PORT is that of SKEP_PORT, which everybody reaches; choose another");
  }
}

function generatorConfig(values: Values, problems: string[]): GeneratorConfig {
  const common = commonConfig(values, problems);
  const [publicStore, privateStore] = [
    storeConfig(values, "PUBLIC", problems),
    storeConfig(values, "PRIVATE", problems),
  ];
  refuseOverlap(publicStore, privateStore, problems);
  return {
    ...common,
    publicStore,
    privateStore,
    unconditionalStore: values.SKEP_UNCONDITIONAL_STORE,
    signingKeyFile: values.SKEP_SIGNING_KEY_FILE ?? join(values.SKEP_DATA_DIR, "signing-key.pem"),
    cdn: cdnConfig(values, common.repository.url, problems),
    deletionGraceSeconds: values.SKEP_DELETION_GRACE_SECONDS,
    twins: twinsConfig(values, publicStore, problems),
  };
}

function operationConfig(values: Values): OperationConfig {
  return {
    accountLimit: values.SKEP_ACCOUNT_LIMIT,
    addressLimit: values.SKEP_ADDRESS_LIMIT,
    trustedNetworks: values.SKEP_TRUSTED_NETWORKS ?? [],
    readOnly: values.SKEP_READ_ONLY,
  };
}

function tokenKeyFile(values: Values): string {
  return values.SKEP_TOKEN_KEY_FILE ?? join(values.SKEP_DATA_DIR, "token-key.pem");
}

function twinsConfig(values: Values, publicStore: StoreConfig, problems: string[]): GeneratorConfig["twins"] {
  if (!values.SKEP_JSON_TWINS) return undefined;
  if (publicStore.kind === "folder") {
    problems.push(
      "SKEP_JSON_TWINS is on, but SKEP_PUBLIC_STORE is a folder, in which `api/packages/NAME` cannot be a file and " +
        "hold `releases` as well; it needs S3",
    );
  }
  // The URL of this machine would stand in files for everybody.
  if (values.DATABASE_URL !== undefined && values.SKEP_URL === undefined) {
    problems.push("SKEP_JSON_TWINS is on, so SKEP_URL is needed, which the files name");
  }
  const docsUrl = values.SKEP_DOCS_URL ?? publicUrl(values);
  return { publicUrl: publicUrl(values), docsUrl, privateDocsUrl: values.SKEP_PRIVATE_DOCS_URL ?? docsUrl };
}

function publicUrl(values: Values): string {
  return values.SKEP_URL ?? `http://localhost:${values.SKEP_PORT}`;
}

function keySetUrl(values: Values): string {
  return `${publicUrl(values)}/.well-known/jwks.json`;
}

function httpConfig(values: Values): HttpConfig {
  return {
    host: values.SKEP_HOST,
    port: values.SKEP_PORT,
    url: publicUrl(values),
    trustedProxies: values.SKEP_TRUSTED_PROXIES,
  };
}

function publishingConfig(values: Values): PublishingConfig {
  const isHexpm = values.SKEP_REPOSITORY === HEXPM;
  const docsUrl = values.SKEP_DOCS_URL ?? publicUrl(values);
  return {
    rules: values.SKEP_PUBLISHING_RULES ?? (isHexpm ? "hexpm" : "relaxed"),
    externalRepositories: values.SKEP_EXTERNAL_REPOSITORIES ?? (isHexpm ? [] : [HEXPM]),
    allowReplace: values.SKEP_ALLOW_REPLACE,
    waitMilliseconds: values.SKEP_PUBLISH_WAIT_MS,
    basicAuth: values.SKEP_BASIC_AUTH,
    requireUserAgent: values.SKEP_REQUIRE_USER_AGENT,
    docsUrl,
    privateDocsUrl: values.SKEP_PRIVATE_DOCS_URL ?? docsUrl,
  };
}

/** @returns what follows from other settings where nothing is given, for people. */
export function derivedSettings(values: Values): Readonly<Partial<Record<SettingName, string>>> {
  const { repository } = commonConfig(values, []);
  const publishing = publishingConfig(values);
  const folder = (name: string) => `folder:${join(values.SKEP_DATA_DIR, name)}`;
  return {
    SKEP_URL: publicUrl(values),
    SKEP_REPOSITORY_URL: repository.url,
    SKEP_DOCS_URL: publishing.docsUrl,
    SKEP_PRIVATE_DOCS_URL: publishing.privateDocsUrl,
    SKEP_PUBLISHING_RULES: publishing.rules,
    SKEP_EXTERNAL_REPOSITORIES: publishing.externalRepositories.join(",") || "none",
    SKEP_PUBLIC_STORE: folder("public"),
    SKEP_PRIVATE_STORE: folder("private"),
    SKEP_SIGNING_KEY_FILE: join(values.SKEP_DATA_DIR, "signing-key.pem"),
    SKEP_TOKEN_KEY_FILE: tokenKeyFile(values),
    SKEP_TOKEN_KEY_SET: keySetUrl(values),
    SKEP_VERIFY_EMAILS: values.SKEP_SMTP_URL === undefined ? "off" : "on",
    SKEP_SURROGATE_HEADERS: values.SKEP_CDN === "none" ? "off" : "on",
    ...(values.SKEP_HEALTH_PORT === undefined ? {} : { SKEP_HEALTH_HOST: values.SKEP_HOST }),
    ...(values.SKEP_CDN === "none" ? {} : { SKEP_CDN_URL: repository.url }),
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
