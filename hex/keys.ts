/**
 * Every object key of the public and the private store, with the headers and surrogate keys that go
 * with it. Nothing else in the project builds a key or a header value, so what is cached where and
 * what a purge reaches is decided here alone.
 *
 * The layout is that of the Hex specification: the public repository lies at the root, a private one under
 * `repos/NAME/`.
 */
import {
  type PackageName,
  type PolicyName,
  packageName,
  policyName,
  type RepositoryName,
  repositoryName,
  type Sha256,
  type Version,
  version,
} from "./ids.ts";

/**
 * Raised whenever a header or a surrogate key below changes: a recorded object of another version is
 * written again although its payload is the same.
 */
export const HEADER_RULES_VERSION = 1;

/** Which repository an object belongs to. The name of a public repository is in no key. */
export interface RepositoryRef {
  readonly name: RepositoryName;
  readonly public: boolean;
}

/** One object of a repository, by what it is. */
export type RepositoryObject =
  | { readonly kind: "names" }
  | { readonly kind: "versions" }
  | { readonly kind: "public_key" }
  | { readonly kind: "package"; readonly package: PackageName }
  | { readonly kind: "tarball"; readonly package: PackageName; readonly version: Version }
  | { readonly kind: "docs"; readonly package: PackageName; readonly version: Version }
  // Who may read it stands in it; a key alone does not tell.
  | { readonly kind: "policy"; readonly policy: PolicyName; readonly visibility?: "private" | "public" }
  // What the API answers about them, as files.
  | { readonly kind: "package_json"; readonly package: PackageName }
  | { readonly kind: "release_json"; readonly package: PackageName; readonly version: Version };

/** The headers an object is stored and served with. */
export interface ObjectHeaders {
  readonly contentType: string;
  readonly cacheControl: string;
  /** For the CDN alone; the edge strips it from what clients see. */
  readonly surrogateControl: string;
  /** Surrogate keys, separated by one space. */
  readonly surrogateKey: string;
}

const DAY = 86_400;
const EDGE_SECONDS = 7 * DAY;
const CLIENT_SECONDS: Record<RepositoryObject["kind"], readonly [publicly: number, privately: number]> = {
  names: [3_600, 3_600],
  versions: [3_600, 3_600],
  package: [3_600, 3_600],
  public_key: [3_600, 3_600],
  tarball: [7 * DAY, DAY],
  docs: [DAY, DAY],
  policy: [600, 60],
  // As the API itself says.
  package_json: [60, 60],
  release_json: [60, 60],
};

// PEM is text, so that a browser shows it; everything else is opaque bytes and never re-encoded.
const CONTENT_TYPES: Partial<Record<RepositoryObject["kind"], string>> = {
  public_key: "text/plain; charset=utf-8",
  package_json: "application/json; charset=utf-8",
  release_json: "application/json; charset=utf-8",
};

/** The prefix of every object of a private repository. */
export const PRIVATE_PREFIX = "repos/";

function prefix(repository: RepositoryRef): string {
  return repository.public ? "" : `${PRIVATE_PREFIX}${repository.name}/`;
}

/** @returns the object's key in the public store, without a leading slash. */
export function objectKey(repository: RepositoryRef, object: RepositoryObject): string {
  const root = prefix(repository);
  switch (object.kind) {
    case "names":
    case "versions":
    case "public_key":
      return root + object.kind;
    case "package":
      return `${root}packages/${object.package}`;
    case "tarball":
      return `${root}tarballs/${object.package}-${object.version}.tar`;
    case "docs":
      return `${root}docs/${object.package}-${object.version}.tar.gz`;
    case "policy":
      return `${root}policies/${object.policy}`;
    case "package_json":
      return `${root}api/packages/${object.package}`;
    case "release_json":
      return `${root}api/packages/${object.package}/releases/${object.version}`;
  }
}

/**
 * The prefixes under which a repository's objects lie: what a full rebuild lists to find strays.
 * A public repository's own prefixes never contain `repos/`.
 */
export function objectPrefixes(repository: RepositoryRef): readonly string[] {
  const root = prefix(repository);
  return ["names", "versions", "packages/", "tarballs/", "docs/", "policies/", "api/packages/"].map(
    (part) => root + part,
  );
}

/** What {@link parseObjectKey} reads out of a key. */
export interface ParsedKey {
  /** Undefined for an object of the public repository. */
  readonly privateRepository: RepositoryName | undefined;
  readonly object: RepositoryObject;
}

/**
 * Reads a key of the public store. A package's name holds no `-`, so the first one separates name and
 * version.
 * @returns undefined for anything that {@link objectKey} could not have made.
 */
export function parseObjectKey(key: string): ParsedKey | undefined {
  const scoped = /^repos\/([^/]+)\/(.+)$/.exec(key);
  const privateRepository = scoped?.[1] === undefined ? undefined : repositoryName(scoped[1]);
  if (scoped && privateRepository === undefined) return undefined;
  const object = parseObject(scoped?.[2] ?? key);
  return object && { privateRepository, object };
}

function parseObject(path: string): RepositoryObject | undefined {
  if (path === "names" || path === "versions" || path === "public_key") return { kind: path };
  const inPackages = /^packages\/(.+)$/.exec(path)?.[1];
  if (inPackages !== undefined) {
    const name = packageName(inPackages);
    return name && { kind: "package", package: name };
  }
  const inPolicies = /^policies\/(.+)$/.exec(path)?.[1];
  if (inPolicies !== undefined) {
    const name = policyName(inPolicies);
    return name && { kind: "policy", policy: name };
  }
  const json = /^api\/packages\/([^/]+)(?:\/releases\/([^/]+))?$/.exec(path);
  if (json !== null) return parseJsonObject(json[1] ?? "", json[2]);
  const tarball = /^tarballs\/([^-]+)-(.+)\.tar$/.exec(path);
  const docs = /^docs\/([^-]+)-(.+)\.tar\.gz$/.exec(path);
  const [, nameText, versionText] = tarball ?? docs ?? [];
  if (nameText === undefined || versionText === undefined) return undefined;
  const name = packageName(nameText);
  const parsed = version(versionText);
  return name && parsed && { kind: tarball ? "tarball" : "docs", package: name, version: parsed };
}

function parseJsonObject(nameText: string, versionText: string | undefined): RepositoryObject | undefined {
  const name = packageName(nameText);
  if (versionText === undefined) return name && { kind: "package_json", package: name };
  const parsed = version(versionText);
  return name && parsed && { kind: "release_json", package: name, version: parsed };
}

/**
 * Surrogate keys hold only letters that need no escape in a URL path, and no `/`: the Fastly client
 * puts a key into a path as it is. Parts are joined by `:`, which no name contains, and a public and a
 * private key differ in the first part, so neither can ever purge the other.
 */
function scope(repository: RepositoryRef): string {
  return repository.public ? "public" : `private:${repository.name}`;
}

// `+` would be read as a space by some URL parsers; versions that were published have no build part.
function part(text: string): string {
  return encodeURIComponent(text);
}

/** Purges everything of one repository. */
export function repositorySurrogateKey(repository: RepositoryRef): string {
  return `${scope(repository)}:all`;
}

/** @returns the surrogate key that purges this object; `names` and `versions` share one. */
export function surrogateKey(repository: RepositoryRef, object: RepositoryObject): string {
  const start = scope(repository);
  switch (object.kind) {
    case "names":
    case "versions":
      return `${start}:index`;
    case "public_key":
      return `${start}:key`;
    case "package":
      return `${start}:package:${object.package}`;
    case "tarball":
    case "docs":
      return `${start}:${object.kind}:${object.package}:${part(object.version)}`;
    case "policy":
      return `${start}:policy:${object.policy}`;
    case "package_json":
      return `${start}:json:${object.package}`;
    case "release_json":
      return `${start}:json:${object.package}:${part(object.version)}`;
  }
}

/** @returns the headers under {@link HEADER_RULES_VERSION}. */
export function objectHeaders(repository: RepositoryRef, object: RepositoryObject): ObjectHeaders {
  const isPublic = object.kind === "policy" ? object.visibility === "public" : repository.public;
  const visibility = isPublic ? "public" : "private";
  const seconds = CLIENT_SECONDS[object.kind][isPublic ? 0 : 1];
  return {
    contentType: CONTENT_TYPES[object.kind] ?? "application/octet-stream",
    cacheControl: `${visibility}, max-age=${seconds}`,
    surrogateControl: `public, max-age=${EDGE_SECONDS}`,
    surrogateKey: `${surrogateKey(repository, object)} ${repositorySurrogateKey(repository)}`,
  };
}

/** Where the private store keeps accepted bytes: under their digest and the upload that brought them. */
export function blobKey(digest: Sha256, uploadId: string): string {
  if (!/^[0-9a-f]{32}$/.test(uploadId)) throw new TypeError("an upload id is 32 hexadecimal digits");
  return `blobs/${digest.slice(0, 2)}/${digest}/${uploadId}`;
}

/** The prefix of every {@link blobKey}. */
export const BLOB_PREFIX = "blobs/";
