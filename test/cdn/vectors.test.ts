/** The table itself: what it has to mention so that nothing new escapes it. */
import { expect, it } from "vitest";
import { putOptions } from "../../generator/write/metadata.ts";
import { repositoryName, sha256, trusted } from "../../hex/ids.ts";
import { objectHeaders } from "../../hex/keys.ts";
import { VECTORS } from "./vectors.ts";

const repository = { name: trusted(repositoryName, "local"), public: true };
const names = { kind: "names" } as const;

it("hides all that the generator writes beside an object, whatever it is called", () => {
  const object = {
    key: "names",
    object: names,
    package: null,
    payloadHash: trusted(sha256, "0".repeat(64)),
    keyFingerprint: "key",
    revision: 1,
    source: { kind: "bytes", bytes: Buffer.alloc(0) } as const,
  };
  const { metadata = {} } = putOptions(repository, object, { generation: 1, id: "claim" });
  const hidden = VECTORS.flatMap((vector) => vector.expect.without ?? []);
  for (const name of Object.keys(metadata)) expect(hidden).toContain(`x-amz-meta-${name}`);
});

it("is asked with what objects are stored with: Fastly keeps all of them for that time", () => {
  const { surrogateControl } = objectHeaders(repository, names);
  const [first] = VECTORS;
  expect(first?.origin?.headers?.["surrogate-control"]).toBe(surrogateControl);
  expect(surrogateControl).toBe("public, max-age=604800");
});
