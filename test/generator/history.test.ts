/**
 * Random histories, built in random batches: after each, the bucket is what a full build of the same rows
 * would be, and a client that reads all of it finds nothing wrong.
 */
import fc from "fast-check";
import { it } from "vitest";
import { createWorld } from "../support/world.ts";

const PACKAGES = ["a", "b_1", "ccc"];
const VERSIONS = ["0.1.0", "1.0.0-rc.1", "1.0.0", "1.10.0"];

type Action = readonly [
  "publish" | "revert" | "retire" | "unretire" | "docs" | "undocs" | "build",
  string,
  string,
];

const action: fc.Arbitrary<Action> = fc.tuple(
  fc.constantFrom("publish", "publish", "revert", "retire", "unretire", "docs", "undocs", "build"),
  fc.constantFrom(...PACKAGES),
  fc.constantFrom(...VERSIONS),
);

it("any history", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { maxLength: 25 }),
      fc.boolean(),
      fc.boolean(),
      async (history, cache, twins) => {
        const world = await createWorld({ cache, twins });
        try {
          const live = new Map<string, Set<string>>();
          for (const [what, name, version] of history) {
            const versions = live.get(name) ?? new Set();
            if (what === "build") {
              const { generator } = world.generator();
              await generator.settle();
              await generator.releaseClaims();
            } else if (what === "publish") {
              await world.rows.publish(name, version);
              live.set(name, versions.add(version));
            } else if (!versions.has(version)) {
            } else if (what === "revert") {
              await world.rows.revert(name, version);
              versions.delete(version);
              if (versions.size === 0) live.delete(name);
            } else if (what === "retire") await world.rows.retire(name, version, "other", "because");
            else if (what === "unretire") await world.rows.retire(name, version, null);
            else
              await world.rows.docs(
                name,
                version,
                what === "docs" ? Buffer.from(`${name} ${version}`) : null,
              );
          }
          const expected = [...live].sort().map(([name, versions]) => [name, [...versions].sort()]);
          await world.expectWhole(Object.fromEntries(expected));
        } finally {
          await world.close();
        }
      },
    ),
    { numRuns: 25 },
  );
});
