import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { SkepError } from "../errors.ts";
import {
  readApiConfig,
  readEdgeConfig,
  readGeneratorConfig,
  readRebuildConfig,
  readServeConfig,
  readToolConfig,
} from "./config.ts";
import type { Source } from "./read.ts";

type Environment = Readonly<Record<string, string>>;

function source(environment: Environment, files: Readonly<Record<string, string>> = {}): Source {
  return {
    environment,
    readFile(path) {
      const text = files[path];
      if (text === undefined) throw new Error(`ENOENT: ${path}`);
      return text;
    },
  };
}

/** @returns what is said of the environment, "" when nothing is. */
function refusal(read: (source: Source) => unknown, environment: Environment, files = {}): string {
  try {
    read(source(environment, files));
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(SkepError);
    expect(error).toHaveProperty("code", "config_invalid");
    return error instanceof Error ? error.message : "";
  }
}

const POSTGRES = "postgres://skep:hunter2@db:5432/skep";
const SECRET = "0123456789abcdef0123456789abcdef";
const API = {
  DATABASE_URL: POSTGRES,
  SKEP_KEY_SECRET: SECRET,
  SKEP_TOKEN_KEY_FILE: "/etc/skep/token-key.pem",
};

describe("defaults", () => {
  it("serve", () => {
    const config = readServeConfig(source({ SKEP_DATA_DIR: "/data" }));
    expect(config).toMatchObject({
      databaseUrl: undefined,
      dataFolder: "/data",
      repository: { name: "local", url: "http://localhost:4000/repo" },
      http: { host: "127.0.0.1", port: 4000, url: "http://localhost:4000", trustedProxies: 0 },
      publishing: {
        rules: "relaxed",
        externalRepositories: ["hexpm"],
        allowReplace: true,
        waitMilliseconds: 5000,
        basicAuth: true,
        requireUserAgent: true,
      },
      publicStore: { kind: "folder", path: "/data/public" },
      privateStore: { kind: "folder", path: "/data/private" },
      unconditionalStore: "refuse",
      signingKeyFile: "/data/signing-key.pem",
      cdn: { kind: "none" },
      deletionGraceSeconds: 3600,
      surrogateHeaders: false,
      keySecret: undefined,
      stopSeconds: 30,
    });
  });

  it("follow what was given", () => {
    const config = readServeConfig(source({ SKEP_PORT: "80", SKEP_CDN: "fastly", ...FASTLY }));
    expect(config.http.url).toBe("http://localhost:80");
    expect(config.repository.url).toBe("http://localhost:80/repo");
    expect(config.cdn).toMatchObject({ readUrl: "http://localhost:80/repo" });
    expect(config.surrogateHeaders).toBe(true);
  });

  it("an impersonator of hexpm has its rules, and nothing outside", () => {
    const environment = { SKEP_REPOSITORY: "hexpm", SKEP_IMPERSONATE_HEXPM: "on" };
    expect(readServeConfig(source(environment)).publishing).toMatchObject({
      rules: "hexpm",
      externalRepositories: [],
    });
  });

  it("an empty variable is none", () => {
    expect(readServeConfig(source({ SKEP_PORT: "", SKEP_NO_SUCH: "" })).http.port).toBe(4000);
  });
});

const FASTLY = { SKEP_FASTLY_SERVICE_ID: "abc", SKEP_FASTLY_TOKEN: "token" };

describe("values", () => {
  it("of every kind", () => {
    const config = readServeConfig(
      source({
        SKEP_URL: "https://hex.example.com/registry/",
        SKEP_EXTERNAL_REPOSITORIES: "hexpm, acme",
        SKEP_ALLOW_REPLACE: "False",
        SKEP_PUBLIC_STORE: "s3://bucket/some/prefix/",
        SKEP_PUBLIC_STORE_ENDPOINT: "http://127.0.0.1:7480",
        SKEP_PUBLIC_STORE_ACCESS_KEY_ID: "id",
        SKEP_PUBLIC_STORE_SECRET_ACCESS_KEY: "hunter2",
        SKEP_PRIVATE_STORE: "folder:/srv/private",
        SKEP_CDN: "varnish",
        SKEP_CDN_URL: "https://cdn.example.com",
        SKEP_VARNISH_URL: "http://varnish:6081",
        SKEP_VARNISH_TOKEN: "hunter3",
        SKEP_HEALTH_PORT: "9000",
      }),
    );
    expect(config).toMatchObject({
      http: { url: "https://hex.example.com/registry" },
      publishing: { externalRepositories: ["hexpm", "acme"], allowReplace: false },
      publicStore: { kind: "s3", bucket: "bucket", prefix: "some/prefix", endpoint: "http://127.0.0.1:7480" },
      privateStore: { kind: "folder", path: "/srv/private" },
      cdn: { kind: "varnish", readUrl: "https://cdn.example.com", purgeUrl: "http://varnish:6081" },
      health: { port: 9000 },
    });
  });

  it("are frozen to the bottom", () => {
    const config = readServeConfig(source({}));
    for (const part of [config, config.http, config.publishing, config.publishing.externalRepositories]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it("that are secret do not show", () => {
    const config = readServeConfig(
      source({ ...API, SKEP_CDN: "fastly", ...FASTLY, SKEP_FASTLY_TOKEN: "hunter3" }),
    );
    const text = inspect(config, { depth: 9, showHidden: true }) + JSON.stringify(config);
    for (const secret of ["hunter2", "hunter3", SECRET]) expect(text).not.toContain(secret);
    expect(config.databaseUrl?.reveal()).toBe(POSTGRES);
  });

  it("come from a file, and the environment wins", () => {
    const files = { "/etc/skep.env": "SKEP_PORT=5000\nSKEP_REPOSITORY='acme'\n" };
    const config = readServeConfig(source({ SKEP_CONFIG_FILE: "/etc/skep.env", SKEP_PORT: "6000" }, files));
    expect([config.http.port, config.repository.name]).toEqual([6000, "acme"]);
  });
});

describe("refused", () => {
  it.each<[environment: Environment, message: string]>([
    [{ SKEP_PROT: "1" }, "configuration: SKEP_PROT is not a setting; did you mean SKEP_PORT?"],
    [
      { SKEP_JSON_TWINS: "on" },
      "SKEP_JSON_TWINS is on, but SKEP_PUBLIC_STORE is a folder, in which `api/packages/NAME` cannot be a file and " +
        "hold `releases` as well; it needs S3",
    ],
    [
      { SKEP_JSON_TWINS: "on", SKEP_PUBLIC_STORE: "s3://public", DATABASE_URL: POSTGRES },
      "SKEP_JSON_TWINS is on, so SKEP_URL is needed, which the files name",
    ],
    [
      { SKEP_KEYSECRET: SECRET },
      "configuration: SKEP_KEYSECRET is not a setting; did you mean SKEP_KEY_SECRET?",
    ],
    [{ SKEP_ANYTHING_AT_ALL: "1" }, "configuration: SKEP_ANYTHING_AT_ALL is not a setting"],
    [{ SKEP_PORT: "http" }, "configuration: SKEP_PORT must be a whole number from 1 to 65535"],
    [{ SKEP_PORT: "0" }, "configuration: SKEP_PORT must be a whole number from 1 to 65535"],
    [{ SKEP_PORT: "1e3" }, "configuration: SKEP_PORT must be a whole number from 1 to 65535"],
    [{ SKEP_ALLOW_REPLACE: "maybe" }, "configuration: SKEP_ALLOW_REPLACE must be `on` or `off`"],
    [{ SKEP_CDN: "akamai" }, "configuration: SKEP_CDN must be one of `none`, `fastly`, `varnish`"],
    [
      { DATABASE_URL: "mysql://x" },
      "configuration: DATABASE_URL must be a URL such as postgres://user:password@host:5432/database",
    ],
    [{ SKEP_URL: "hex.example.com" }, "SKEP_URL must be an http or https URL"],
    [
      { SKEP_URL: "https://u:hunter2@hex.example.com" },
      "SKEP_URL must be an http or https URL without user name",
    ],
    [{ SKEP_URL: "https://hex.example.com/?q" }, "SKEP_URL must be an http or https URL"],
    [{ SKEP_KEY_SECRET: "short" }, "SKEP_KEY_SECRET must have at least 32 characters"],
    [{ SKEP_KEY_SECRET: ` ${SECRET}` }, "SKEP_KEY_SECRET must have at least 32 characters, without spaces"],
    [{ SKEP_PUBLIC_STORE: "/srv/public" }, "SKEP_PUBLIC_STORE must be `folder:PATH` or `s3://BUCKET/PREFIX`"],
    [{ SKEP_PUBLIC_STORE: "gs://bucket" }, "SKEP_PUBLIC_STORE must be `folder:PATH` or `s3://BUCKET/PREFIX`"],
    [{ SKEP_EXTERNAL_REPOSITORIES: "Hexpm" }, "SKEP_EXTERNAL_REPOSITORIES must be names of repositories"],
    [{ SKEP_REPOSITORY: "../x" }, "SKEP_REPOSITORY must consist of a-z"],
    [{ SKEP_REPOSITORY: "hexpm" }, "SKEP_REPOSITORY is hexpm, which clients take for hex.pm itself"],
    [
      { SKEP_REPOSITORY: "acme", SKEP_EXTERNAL_REPOSITORIES: "acme" },
      "SKEP_EXTERNAL_REPOSITORIES names acme, which is this repository",
    ],
    [
      { SKEP_HEALTH_PORT: "4000" },
      "SKEP_HEALTH_PORT is that of SKEP_PORT, which everybody reaches; choose another",
    ],
    [{ SKEP_HEALTH_HOST: "::1" }, "SKEP_HEALTH_HOST is set, but SKEP_HEALTH_PORT is not"],
    [
      { SKEP_ERROR_DSN: "https://acme.example" },
      "SKEP_ERROR_DSN must be a URL such as https://KEY@HOST/PROJECT",
    ],
    [{ SKEP_CDN: "fastly" }, "SKEP_FASTLY_TOKEN is missing, which SKEP_CDN=fastly needs"],
    [
      { SKEP_CDN: "varnish", SKEP_VARNISH_TOKEN: "x" },
      "SKEP_VARNISH_URL is missing, which SKEP_CDN=varnish needs",
    ],
    [FASTLY, "SKEP_FASTLY_TOKEN is set, but SKEP_CDN is none"],
    [
      { SKEP_CDN: "fastly", ...FASTLY, SKEP_VARNISH_URL: "http://v" },
      "SKEP_VARNISH_URL is set, but SKEP_CDN is fastly",
    ],
    [{ SKEP_CDN_URL: "http://v" }, "SKEP_CDN_URL is set, but SKEP_CDN is none"],
    [
      { SKEP_PUBLIC_STORE_REGION: "eu" },
      "SKEP_PUBLIC_STORE_REGION is set, but SKEP_PUBLIC_STORE is a folder",
    ],
    [
      { SKEP_PRIVATE_STORE: "s3://bucket", SKEP_PRIVATE_STORE_ACCESS_KEY_ID: "x" },
      "SKEP_PRIVATE_STORE_ACCESS_KEY_ID and SKEP_PRIVATE_STORE_SECRET_ACCESS_KEY go together",
    ],
    [{ SKEP_PUBLIC_STORE: "folder:/a", SKEP_PRIVATE_STORE: "folder:/a" }, "must not lie in one another"],
    [{ SKEP_PUBLIC_STORE: "folder:/a", SKEP_PRIVATE_STORE: "folder:/a/..b" }, "must not lie in one another"],
    [{ SKEP_PUBLIC_STORE: "folder:/a/b", SKEP_PRIVATE_STORE: "folder:/a" }, "must not lie in one another"],
    [
      { SKEP_PUBLIC_STORE: "s3://one", SKEP_PRIVATE_STORE: "s3://one/private" },
      "must not lie in one another",
    ],
    [{ SKEP_CONFIG_FILE: "/none" }, "SKEP_CONFIG_FILE cannot be read: ENOENT: /none"],
    [{ SKEP_CONFIG_FILE: "/f" }, "/f: line 1 is not NAME=VALUE"],
    [{ SKEP_CONFIG_FILE: "/g" }, "HOME is not a setting"],
    [{ SKEP_CONFIG_FILE: "/h" }, "/h: a file cannot name another one"],
  ])("%j", (environment, message) => {
    const files = { "/f": "hunter2", "/g": "HOME=hunter2", "/h": "SKEP_CONFIG_FILE=/f" };
    const said = refusal(readServeConfig, environment, files);
    expect(said).toContain(message);
    expect(said).not.toContain("hunter2");
    expect(said).not.toContain(SECRET);
  });

  it("names beside one another are not in one another", () => {
    for (const [one, two] of [
      ["folder:/a/public", "folder:/a/public2"],
      ["s3://one/a", "s3://one/ab"],
      ["s3://one/a", "s3://two/a"],
    ] as const) {
      expect(refusal(readServeConfig, { SKEP_PUBLIC_STORE: one, SKEP_PRIVATE_STORE: two })).toBe("");
    }
  });

  it("everything at once", () => {
    const said = refusal(readServeConfig, { SKEP_PORT: "x", SKEP_PROT: "1", SKEP_CDN: "x" });
    expect(said.split("\n  - ")).toHaveLength(4);
  });
});

describe("roles", () => {
  it.each([
    "SKEP_SIGNING_KEY_FILE",
    "SKEP_FASTLY_TOKEN",
    "SKEP_VARNISH_TOKEN",
    "SKEP_PUBLIC_STORE_ACCESS_KEY_ID",
    "SKEP_PUBLIC_STORE_SECRET_ACCESS_KEY",
  ])("the API refuses %s, from the environment and from a file", (name) => {
    const said = `${name} must not be given to the API`;
    expect(refusal(readApiConfig, { ...API, [name]: "hunter2" })).toContain(said);
    const files = { "/f": `${name}=hunter2` };
    expect(refusal(readApiConfig, { ...API, SKEP_CONFIG_FILE: "/f" }, files)).toContain(said);
    for (const read of [readServeConfig, readGeneratorConfig]) {
      expect(refusal(read, { ...API, [name]: "hunter2" })).not.toContain("must not");
    }
  });

  it("the API needs a database and the secret of its keys", () => {
    const said = refusal(readApiConfig, {});
    expect(said).toContain("DATABASE_URL is missing, which `skep api` needs");
    expect(said).toContain("SKEP_KEY_SECRET is missing, which `skep api` needs");
    expect(said).toContain("SKEP_TOKEN_KEY_FILE is missing, which `skep api` needs");
    const config = readApiConfig(source(API));
    expect(config).not.toHaveProperty("signingKeyFile");
    expect(config).not.toHaveProperty("publicStore");
    expect(config).not.toHaveProperty("cdn");
    // The kind of CDN is nothing that could be misused.
    expect(refusal(readApiConfig, { ...API, SKEP_CDN: "fastly", SKEP_FASTLY_SERVICE_ID: "x" })).toBe("");
  });

  it("the generator needs a database, and has no secret of keys", () => {
    expect(refusal(readGeneratorConfig, {})).toContain(
      "DATABASE_URL is missing, which `skep generator` needs",
    );
    expect(readGeneratorConfig(source(API))).not.toHaveProperty("keySecret");
  });

  it("tools need nothing", () => {
    expect(refusal(readToolConfig, {})).toBe("");
    expect(refusal(readRebuildConfig, {})).toBe("");
    expect(refusal(readToolConfig, { SKEP_CDN: "fastly" })).toBe("");
  });
});

it("JSON twins are off, or name where the API is", () => {
  const store = {
    SKEP_PUBLIC_STORE: "s3://public",
    SKEP_PRIVATE_STORE: "s3://private",
    DATABASE_URL: POSTGRES,
  };
  expect(readGeneratorConfig(source(store)).twins).toBeUndefined();
  const on = { ...store, SKEP_JSON_TWINS: "on", SKEP_URL: "https://skep.example" };
  const docs = { ...on, SKEP_DOCS_URL: "https://docs.example" };
  const publicUrl = "https://skep.example";
  expect(readGeneratorConfig(source(on)).twins).toMatchObject({ publicUrl, docsUrl: publicUrl });
  expect(readGeneratorConfig(source(docs)).twins).toMatchObject({
    publicUrl,
    docsUrl: "https://docs.example",
  });
});

describe("edge", () => {
  const EDGE = { SKEP_URL: "https://hex.acme.example", SKEP_PUBLIC_STORE: "s3://acme-hex" };

  it("reads the public store, and judges by the keys of the API", () => {
    expect(readEdgeConfig(source(EDGE))).toMatchObject({
      publicStore: { kind: "s3", bucket: "acme-hex" },
      keySet: { kind: "url", url: "https://hex.acme.example/.well-known/jwks.json" },
      apiKeys: undefined,
      surrogateHeaders: false,
    });
    const other = { ...EDGE, SKEP_TOKEN_KEY_SET: "/etc/skep/jwks.json", SKEP_HEALTH_PORT: "9000" };
    expect(
      readEdgeConfig(source({ ...other, DATABASE_URL: POSTGRES, SKEP_KEY_SECRET: SECRET })),
    ).toMatchObject({
      keySet: { kind: "file", path: "/etc/skep/jwks.json" },
      health: { host: "127.0.0.1", port: 9000 },
      apiKeys: expect.any(Object),
    });
  });

  it.each([
    ["SKEP_SIGNING_KEY_FILE", "/etc/skep/key.pem"],
    ["SKEP_TOKEN_KEY_FILE", "/etc/skep/token-key.pem"],
    ["SKEP_FASTLY_TOKEN", "hunter2"],
    ["SKEP_VARNISH_TOKEN", "hunter2"],
    ["SKEP_PRIVATE_STORE_SECRET_ACCESS_KEY", "hunter2"],
  ])("does not take %s", (name, value) => {
    expect(refusal(readEdgeConfig, { ...EDGE, [name]: value })).toContain(
      `${name} must not be given to \`skep edge\``,
    );
  });

  it.each<[Environment, string]>([
    [{ DATABASE_URL: POSTGRES }, "DATABASE_URL and SKEP_KEY_SECRET go together"],
    [{ SKEP_KEY_SECRET: SECRET }, "DATABASE_URL and SKEP_KEY_SECRET go together"],
    [{ SKEP_URL: "" }, "SKEP_URL or SKEP_TOKEN_KEY_SET is missing"],
    [{ SKEP_TOKEN_KEY_SET: "https://a:b@c" }, "SKEP_TOKEN_KEY_SET must be an http or https URL"],
    [{ SKEP_HEALTH_PORT: "4000" }, "SKEP_HEALTH_PORT is that of SKEP_PORT"],
  ])("refuses %j", (changed, message) => {
    expect(refusal(readEdgeConfig, { ...EDGE, ...changed })).toContain(message);
  });
});

it("private files are read back through a CDN, or not at all", () => {
  const generator = { DATABASE_URL: POSTGRES, SKEP_CDN_PRIVATE: "on" };
  expect(refusal(readGeneratorConfig, generator)).toContain("SKEP_CDN_PRIVATE is on, but SKEP_CDN is none");
  const varnish = {
    SKEP_CDN: "varnish",
    SKEP_VARNISH_URL: "http://varnish:6081",
    SKEP_VARNISH_TOKEN: "token",
  };
  expect(readGeneratorConfig(source({ ...generator, ...varnish })).cdn).toMatchObject({
    servesPrivate: true,
  });
});
