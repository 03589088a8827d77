import { expect, it } from "vitest";
import type { S3StoreConfig } from "../schemas/config/stores.ts";
import { openReadableStore, openStore } from "./open.ts";

const nowhere: S3StoreConfig = {
  kind: "s3",
  bucket: "skep",
  prefix: "",
  endpoint: "http://127.0.0.1:1",
  region: "us-east-1",
  forcePathStyle: true,
  credentials: undefined,
};

it("a bucket that is to be read alone is not written to, not even to learn its dialect", async () => {
  await expect(openStore(nowhere)).rejects.toMatchObject({ code: "store_unavailable" });
  const store = await openReadableStore(nowhere);
  await expect(store.head("names")).rejects.toMatchObject({ code: "store_unavailable" });
  await store.close();
});
