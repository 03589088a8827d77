/** Sequence numbers do not commit in order: a change that got its number early may commit late. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { repositoryName, trusted } from "../../hex/ids.ts";
import { requestLooks } from "../../store/queries/changes.ts";
import { name } from "../support/rows.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

it("a change with a lower number than one that is finished is built all the same", async () => {
  await world.rows.publish("foo", "1.0.0");
  await world.expectWhole({ foo: ["1.0.0"] });
  await world.publicStore.delete("packages/foo");

  await world.sql.begin(async (late) => {
    await requestLooks(late, trusted(repositoryName, "local"), [name("foo")]);
    await world.rows.publish("bar", "1.0.0");
    const { generator } = world.generator();
    await generator.settle();
    await generator.releaseClaims();
    expect(await world.publicStore.head("packages/bar")).toBeDefined();
  });
  await world.expectWhole({ bar: ["1.0.0"], foo: ["1.0.0"] });
});
