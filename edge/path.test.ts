import { describe, expect, it } from "vitest";
import { requestedObject } from "./path.ts";

describe("requestedObject", () => {
  it.each([
    ["/names", "names"],
    ["/versions?x=1", "versions"],
    ["/public_key", "public_key"],
    ["/packages/foo", "packages/foo"],
    ["/packages/%66oo", "packages/foo"],
    ["/tarballs/foo-1.0.0.tar", "tarballs/foo-1.0.0.tar"],
    ["/tarballs/foo-1.0.0-rc.1%2Bbuild.tar", "tarballs/foo-1.0.0-rc.1+build.tar"],
    ["/docs/foo-1.0.0.tar.gz", "docs/foo-1.0.0.tar.gz"],
    ["http://host:4000/packages/foo", "packages/foo"],
  ])("%s", (target, key) => {
    expect(requestedObject(target, "")?.key).toBe(key);
    const mounted = target.replace(/^(https?:\/\/[^/]*)?/, "$1/some/repo");
    expect(requestedObject(mounted, "/some/repo")?.key).toBe(key);
  });

  it.each([
    "",
    "/",
    "//names",
    "/names/",
    "/Names",
    "/packages",
    "/packages/",
    "/packages/Foo",
    "/packages/foo/bar",
    "/packages/foo#x",
    "/packages/foo;x",
    "/tarballs/foo-1.0.tar",
    "/tarballs/foo-1.0.0.tar.gz",
    "/tarballs/../names",
    "/./names",
    "/packages/../names",
    "/packages/%2e%2e/names",
    "/packages/%2E%2E%2Fnames",
    "/packages%2ffoo",
    "/packages/%2566oo",
    "/%252e%252e/names",
    "/packages/foo%00",
    "/packages/foo%0a",
    "/packages/%c0%ae%c0%ae/names",
    "/packages/%e0%80%af",
    "/packages/foo%",
    "/packages/foo%zz",
    "/packages\\foo",
    "/packages%5Cfoo",
    "/..\\names",
    "/.skep-meta/00/11.json",
    "/.skep-tmp/x",
    "/skep-probe/0123",
    "/blobs/00/11/22",
    "/repos/../names",
    "/public_key.pem",
    "http://host",
    "http:///names/x",
    "*",
    "names",
    "/repos//names",
    "/repos/%2e%2e/names",
    "/repos/acme/../names",
    "/repos/acme/repos/acme/names",
    "/repos/acme%2fnames",
    "/repos/ACME/names",
    "/repos/acme/blobs/00/11/22",
  ])("nothing: %s", (target) => {
    expect(requestedObject(target, "")).toBeUndefined();
  });

  it.each(["/repos/acme/packages/foo", "/%72epos/acme/packages/foo", "/repos/acme/packages/foo?x=1"])(
    "private: %s",
    (target) => {
      expect(requestedObject(target, "")).toEqual({
        key: "repos/acme/packages/foo",
        privateRepository: "acme",
        object: { kind: "package", package: "foo" },
      });
    },
  );

  it.each(["/names", "/repository/names", "/repo", "/repo/../names", "/REPO/names", "/%72epo/names"])(
    "nothing under the mount: %s",
    (target) => {
      expect(requestedObject(target, "/repo")).toBeUndefined();
    },
  );
});
