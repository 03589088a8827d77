import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packageName, policyName, repositoryName, sha256, trusted, version } from "./ids.ts";
import {
  BLOB_PREFIX,
  blobKey,
  objectHeaders,
  objectKey,
  objectPrefixes,
  parseObjectKey,
  type RepositoryObject,
  type RepositoryRef,
  repositorySurrogateKey,
  surrogateKey,
} from "./keys.ts";

const PUBLIC: RepositoryRef = { name: trusted(repositoryName, "local"), public: true };
const ACME: RepositoryRef = { name: trusted(repositoryName, "acme"), public: false };
const PACKAGE = trusted(packageName, "foo_bar");
const VERSION = trusted(version, "1.0.0-rc-1.tar");
const DIGEST = trusted(sha256, "0123456789abcdef".repeat(4));

// Names that look like parts of keys are the ones that could be mistaken for them.
const namePart = fc.oneof(
  fc.constantFrom(
    "all",
    "index",
    "key",
    "package",
    "tarball",
    "docs",
    "repos",
    "packages",
    "public",
    "names",
  ),
  fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/),
);
const packages = namePart.map((text) => trusted(packageName, text));
const repositoryNames = fc
  .oneof(
    namePart,
    fc.constantFrom("a.b", "private", "-", "public-all", "..a"),
    fc.stringMatching(/^[a-z0-9_\-.]{1,8}$/),
  )
  .filter((text) => repositoryName(text) !== undefined)
  .map((text) => trusted(repositoryName, text));
const versions = fc
  .tuple(
    fc.array(fc.nat(20), { minLength: 3, maxLength: 3 }).map((numbers) => numbers.join(".")),
    fc.constantFrom("", "-rc", "-a.tar", "-1.tar.gz", "-a-1.0.0", "--", "-x.1.2.3"),
    fc.constantFrom("", "+b", "+1.tar", "+a-1"),
  )
  .map((parts) => trusted(version, parts.join("")));

const repositories: fc.Arbitrary<RepositoryRef> = fc.record({ name: repositoryNames, public: fc.boolean() });
const objects: fc.Arbitrary<RepositoryObject> = fc.oneof(
  fc.constantFrom<RepositoryObject>({ kind: "names" }, { kind: "versions" }, { kind: "public_key" }),
  packages.map((name): RepositoryObject => ({ kind: "package", package: name })),
  packages.map((name): RepositoryObject => ({ kind: "package_json", package: name })),
  fc
    .oneof(namePart, fc.constantFrom("strict-prod", "-a", "0"))
    .filter((text) => policyName(text) !== undefined)
    .map((text): RepositoryObject => ({ kind: "policy", policy: trusted(policyName, text) })),
  fc
    .record({
      kind: fc.constantFrom("tarball", "docs", "release_json"),
      package: packages,
      version: versions,
    })
    .map((object): RepositoryObject => object),
);

/** What a key must tell apart: a public repository's name is in none. */
function identity({ name, public: isPublic }: RepositoryRef, object: RepositoryObject): string {
  return JSON.stringify([isPublic ? null : name, object.kind, Object.entries(object).sort()]);
}

describe("objectKey", () => {
  it.each<[RepositoryRef, RepositoryObject, string]>([
    [PUBLIC, { kind: "names" }, "names"],
    [PUBLIC, { kind: "versions" }, "versions"],
    [PUBLIC, { kind: "public_key" }, "public_key"],
    [PUBLIC, { kind: "package", package: PACKAGE }, "packages/foo_bar"],
    [PUBLIC, { kind: "tarball", package: PACKAGE, version: VERSION }, "tarballs/foo_bar-1.0.0-rc-1.tar.tar"],
    [PUBLIC, { kind: "docs", package: PACKAGE, version: VERSION }, "docs/foo_bar-1.0.0-rc-1.tar.tar.gz"],
    [PUBLIC, { kind: "package_json", package: PACKAGE }, "api/packages/foo_bar"],
    [
      PUBLIC,
      { kind: "release_json", package: PACKAGE, version: VERSION },
      "api/packages/foo_bar/releases/1.0.0-rc-1.tar",
    ],
    [ACME, { kind: "policy", policy: trusted(policyName, "strict-prod") }, "repos/acme/policies/strict-prod"],
    [ACME, { kind: "names" }, "repos/acme/names"],
    [ACME, { kind: "package", package: PACKAGE }, "repos/acme/packages/foo_bar"],
  ])("is as clients ask for it: case %#", (repository, object, key) => {
    expect(objectKey(repository, object)).toBe(key);
  });

  it("is read back as what it was made from", () => {
    fc.assert(
      fc.property(repositories, objects, (repository, object) => {
        const privateRepository = repository.public ? undefined : repository.name;
        expect(parseObjectKey(objectKey(repository, object))).toEqual({ privateRepository, object });
      }),
      { numRuns: 500 },
    );
  });

  it("is the same for the same object alone", () => {
    fc.assert(
      fc.property(repositories, objects, repositories, objects, (repository, object, other, another) => {
        expect(objectKey(repository, object) === objectKey(other, another)).toBe(
          identity(repository, object) === identity(other, another),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it("never lies under a prefix of another repository's", () => {
    fc.assert(
      fc.property(repositories, objects, repositories, (repository, object, other) => {
        const same =
          repository.public === other.public && (repository.public || repository.name === other.name);
        const listed = objectPrefixes(other).some((prefix) =>
          objectKey(repository, object).startsWith(prefix),
        );
        expect(listed).toBe(same && object.kind !== "public_key");
      }),
      { numRuns: 1_000 },
    );
  });

  it("never leaves its folder", () => {
    fc.assert(
      fc.property(repositories, objects, (repository, object) => {
        const parts = objectKey(repository, object).split("/");
        expect(parts.filter((part) => part === "" || /^\.+$/.test(part))).toEqual([]);
      }),
    );
  });
});

describe("parseObjectKey", () => {
  it.each([
    "",
    "/",
    "/names",
    "names\n",
    "nameservers",
    "repos",
    "repos/",
    "repos//names",
    "repos/acme/",
    "repos/acme/repos/acme/names",
    "repos/./names",
    "repos/../names",
    "repos/.../names",
    "repos/Acme/names",
    "repos/acme/../names",
    "repos/ac%2fme/names",
    "repos/acme\n/names",
    "repos/acme/names\n",
    "packages",
    "packages/",
    "packages/..",
    "packages/../names",
    "packages/foo/bar",
    "packages/foo\n",
    "packages/Foo",
    "packages//foo",
    "packages\\foo",
    "packages/foo%00",
    "packages/foo\0",
    "tarballs/foo-1.0.0.tar\n",
    "tarballs/foo-1.0.0.tar.gz",
    "tarballs/foo-1.0.tar",
    "tarballs/foo.tar",
    "tarballs/../foo-1.0.0.tar",
    "tarballs/foo-1.0.0/../x.tar",
    "tarballs/foo-1.0.0-a/b.tar",
    "docs/foo-1.0.0/index.html",
    "installs/hex-1.x.csv",
    "api/packages",
    "api/packages/",
    "api/packages/Foo",
    "api/packages/foo\n",
    "api/packages/foo/",
    "api/packages/foo/releases",
    "api/packages/foo/releases/",
    "api/packages/foo/releases/1.0",
    "api/packages/foo/releases/1.0.0\n",
    "api/packages/foo/releases/1.0.0/docs",
    "api/packages/foo/owners",
    "api/packages/../foo",
    "blobs/01/0123",
  ])("refuses %j", (key) => {
    expect(parseObjectKey(key)).toBeUndefined();
  });

  it("accepts nothing that objectKey does not make", () => {
    const piece = fc.constantFrom(
      "repos/",
      "acme/",
      "packages/",
      "tarballs/",
      "docs/",
      "api/packages/",
      "/releases/",
      "1.0.0",
      "foo",
      "-1.0.0",
      ".tar",
      ".gz",
    );
    const other = fc.constantFrom("names", "versions", "public_key", "..", "/", ".", "\n", "-", "+b");
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, other), { maxLength: 6 }), (pieces) => {
        const key = pieces.join("");
        const parsed = parseObjectKey(key);
        if (parsed === undefined) return;
        const name = parsed.privateRepository;
        expect(objectKey(name === undefined ? PUBLIC : { name, public: false }, parsed.object)).toBe(key);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("surrogate keys", () => {
  it("hold no slash and nothing that a header or a URL's path would change", () => {
    fc.assert(
      fc.property(repositories, objects, (repository, object) => {
        expect(surrogateKey(repository, object)).toMatch(/^[A-Za-z0-9_.:%-]+$/);
        expect(repositorySurrogateKey(repository)).toMatch(/^[a-z0-9_.:-]+$/);
      }),
    );
  });

  it("are the same for the same object alone, but for the index files, which share one", () => {
    const tagged = (repository: RepositoryRef, object: RepositoryObject) =>
      identity(repository, object.kind === "versions" ? { kind: "names" } : object);
    fc.assert(
      fc.property(repositories, objects, repositories, objects, (repository, object, other, another) => {
        expect(surrogateKey(repository, object) === surrogateKey(other, another)).toBe(
          tagged(repository, object) === tagged(other, another),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it("of a private repository are none of a public one's, nor of another private one's", () => {
    fc.assert(
      fc.property(repositories, objects, repositories, objects, (repository, object, other, another) => {
        if (repository.public === other.public && (repository.public || repository.name === other.name))
          return;
        const keys = new Set([surrogateKey(repository, object), repositorySurrogateKey(repository)]);
        expect(keys).not.toContain(surrogateKey(other, another));
        expect(keys).not.toContain(repositorySurrogateKey(other));
      }),
      { numRuns: 1_000 },
    );
  });

  it("of the whole repository are none of an object's", () => {
    fc.assert(
      fc.property(repositories, repositories, objects, (repository, other, object) => {
        expect(repositorySurrogateKey(repository)).not.toBe(surrogateKey(other, object));
      }),
    );
  });
});

describe("objectHeaders", () => {
  it("names both surrogate keys, separated by a space", () => {
    fc.assert(
      fc.property(repositories, objects, (repository, object) => {
        expect(objectHeaders(repository, object).surrogateKey.split(" ")).toEqual([
          surrogateKey(repository, object),
          repositorySurrogateKey(repository),
        ]);
      }),
    );
  });

  it.each([
    ["public", "public, max-age=600"],
    ["private", "private, max-age=60"],
    [undefined, "private, max-age=60"],
  ] as const)("of a policy follow what it says: %s", (visibility, cacheControl) => {
    const object = { kind: "policy", policy: trusted(policyName, "strict") } as const;
    const shown = visibility === undefined ? object : { ...object, visibility };
    for (const repository of [PUBLIC, ACME])
      expect(objectHeaders(repository, shown).cacheControl).toBe(cacheControl);
  });

  it("never lets a shared cache keep a private object", () => {
    fc.assert(
      fc.property(repositories, objects, (repository, object) => {
        const isPublic = repository.public && object.kind !== "policy";
        const expected = isPublic ? /^public, max-age=\d+$/ : /^private, max-age=\d+$/;
        expect(objectHeaders(repository, object).cacheControl).toMatch(expected);
      }),
    );
  });

  it.each<[RepositoryObject, number, number, string]>([
    [{ kind: "names" }, 3_600, 3_600, "application/octet-stream"],
    [{ kind: "versions" }, 3_600, 3_600, "application/octet-stream"],
    [{ kind: "public_key" }, 3_600, 3_600, "text/plain; charset=utf-8"],
    [{ kind: "package", package: PACKAGE }, 3_600, 3_600, "application/octet-stream"],
    [{ kind: "tarball", package: PACKAGE, version: VERSION }, 604_800, 86_400, "application/octet-stream"],
    [{ kind: "docs", package: PACKAGE, version: VERSION }, 86_400, 86_400, "application/octet-stream"],
  ])("case %#", (object, publicly, privately, contentType) => {
    expect(objectHeaders(PUBLIC, object)).toMatchObject({
      contentType,
      cacheControl: `public, max-age=${publicly}`,
      surrogateControl: "public, max-age=604800",
    });
    expect(objectHeaders(ACME, object).cacheControl).toBe(`private, max-age=${privately}`);
  });
});

describe("blobKey", () => {
  const upload = "0123456789abcdef".repeat(2);

  it("names digest and upload", () => {
    expect(blobKey(DIGEST, upload)).toBe(`${BLOB_PREFIX}01/${DIGEST}/${upload}`);
  });

  it.each(["", "..", upload.slice(1), `${upload}\n`, upload.toUpperCase(), `../${upload}`, `${upload}/..`])(
    "refuses the upload id %j",
    (id) => {
      expect(() => blobKey(DIGEST, id)).toThrow(TypeError);
    },
  );

  it("is no key of the public store", () => {
    expect(parseObjectKey(blobKey(DIGEST, upload))).toBeUndefined();
  });
});
