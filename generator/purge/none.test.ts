import { expect, it } from "vitest";
import { createNoPurger } from "./none.ts";

it("accepts any purge at once", async () => {
  await expect(createNoPurger().purge(["public:index"])).resolves.toBeUndefined();
});
