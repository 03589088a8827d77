import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { probeConditionalWrites } from "../../store/objects/probe.ts";
import { openS3Store, S3Store } from "../../store/objects/s3.ts";
import type { S3Settings } from "../../store/objects/s3-settings.ts";
import { type RunningCeph, startCeph } from "../support/ceph.ts";
import { requireTool } from "../support/tools.ts";
import { describeObjectStore } from "./object-store.ts";

describe.runIf(requireTool("radosgw"))("S3 store, against Ceph", () => {
  let ceph: RunningCeph;
  let settings: S3Settings;
  let store: S3Store;
  let within: S3Store;
  beforeAll(async () => {
    ceph = await startCeph();
    const credentials = { accessKeyId: ceph.accessKey, secretAccessKey: ceph.secretKey };
    settings = { bucket: "skep-test", endpoint: ceph.endpoint, credentials };
    const admin = new S3Client({ ...settings, region: "us-east-1", forcePathStyle: true });
    await admin.send(new CreateBucketCommand({ Bucket: settings.bucket }));
    admin.destroy();
    store = await openS3Store(settings);
    within = await openS3Store({ ...settings, prefix: "some/folder" });
  });
  afterAll(async () => {
    await store?.close();
    await within?.close();
    await ceph?.stop();
  });

  describe("the whole bucket", () => describeObjectStore(() => store, { unsureRaces: true }));
  describe("a folder of it", () => describeObjectStore(() => within, { manyKeys: 10, unsureRaces: true }));

  it("has learnt the service's dialect, and passes the probe", async () => {
    expect(await probeConditionalWrites(store)).toEqual({ conditionalPut: true, conditionalDelete: false });
    const left: string[] = [];
    for await (const { key } of store.list("skep-probe/")) left.push(key);
    expect(left).toEqual([]);
  });

  // Ceph answers 412 to an ETag in quotes, which AWS wants.
  it("a dialect that does not fit is noticed by the probe", async () => {
    const wrong = new S3Store(settings, { quotedEtags: true, conditionalDelete: true });
    await expect(probeConditionalWrites(wrong)).rejects.toMatchObject({
      code: "store_unconditional",
      message: expect.stringContaining("If-Match with the right ETag"),
    });
    await wrong.close();
  });

  it("keeps to its folder", async () => {
    await within.put("x", Buffer.from("x"), { precondition: { kind: "none" } });
    expect((await store.get("some/folder/x"))?.size).toBe(1);
    expect(await within.get("some/folder/x")).toBeUndefined();
    const keys: string[] = [];
    for await (const { key } of within.list("x")) keys.push(key);
    expect(keys).toEqual(["x"]);
  });

  it("leaves out what consoles make of folders", async () => {
    const admin = new S3Client({ ...settings, region: "us-east-1", forcePathStyle: true });
    await admin.send(new PutObjectCommand({ Bucket: settings.bucket, Key: "console/", ContentLength: 0 }));
    admin.destroy();
    for await (const { key } of store.list("console")) expect.unreachable(key);
  });

  const wrongs: readonly (readonly [string, Partial<S3Settings>, string])[] = [
    ["a bucket that is not there", { bucket: "skep-none" }, "NoSuchBucket"],
    [
      "a wrong key",
      { credentials: { accessKeyId: "nobody", secretAccessKey: "swordfish" } },
      "InvalidAccessKeyId",
    ],
  ];
  it.each(wrongs)("%s is said as it is", async (_, wrong, reason) => {
    const failing = new S3Store({ ...settings, ...wrong });
    const put = failing.put("a", Buffer.from("x"), { precondition: { kind: "none" } });
    const error = await put.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "store_unavailable", message: expect.stringContaining(reason) });
    await expect(failing.get("a")).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(openS3Store({ ...settings, ...wrong })).rejects.toMatchObject({ code: "store_unavailable" });
    await failing.close();
  });
});
