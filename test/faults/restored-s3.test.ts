/** A restored backup, with the stores in S3: the metadata that tells of it travels as headers. */
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adopt } from "../../generator/adopt/adopt.ts";
import type { Finding } from "../../generator/check/finding.ts";
import { rebuild } from "../../generator/rebuild.ts";
import { openS3Store, type S3Store } from "../../store/objects/s3.ts";
import { type RunningCeph, startCeph } from "../support/ceph.ts";
import { backUp } from "../support/database.ts";
import { requireTool } from "../support/tools.ts";
import { createWorld } from "../support/world.ts";

describe.runIf(requireTool("radosgw"))("in Ceph's gateway", () => {
  let ceph: RunningCeph;
  let publicStore: S3Store;
  let privateStore: S3Store;
  beforeAll(async () => {
    ceph = await startCeph();
    const credentials = { accessKeyId: ceph.accessKey, secretAccessKey: ceph.secretKey };
    const settings = { bucket: "skep-test", endpoint: ceph.endpoint, credentials };
    const admin = new S3Client({ ...settings, region: "us-east-1", forcePathStyle: true });
    await admin.send(new CreateBucketCommand({ Bucket: settings.bucket }));
    admin.destroy();
    publicStore = await openS3Store({ ...settings, prefix: "public" });
    privateStore = await openS3Store({ ...settings, prefix: "private" });
  });
  afterAll(async () => {
    await publicStore?.close();
    await privateStore?.close();
    await ceph?.stop();
  });

  it("the generator stops; the adoption names what is lost, goes on, and keeps it", async () => {
    const stores = { publicStore, privateStore };
    const before = await createWorld({ stores });
    await before.rows.publish("kiwi", "1.0.0");
    await before.rows.publish("pear", "1.0.0");
    await before.expectWhole({ kiwi: ["1.0.0"], pear: ["1.0.0"] });
    const backup = await backUp(before.database);
    await before.rows.publish("kiwi", "1.2.0");
    await before.rows.retire("pear", "1.0.0", "security");
    await before.expectWhole({ kiwi: ["1.0.0", "1.2.0"], pear: ["1.0.0"] });
    const after = await createWorld({ stores, databaseUrl: backup.url });
    const { generator, context } = after.generator();
    const { signal } = new AbortController();
    try {
      await expect(generator.settle()).rejects.toMatchObject({ code: "database_restored" });
      const findings: Finding[] = [];
      const onFinding = (finding: Finding) => findings.push(finding);
      await expect(adopt(context, { acceptLoss: false, onFinding, signal })).rejects.toMatchObject({
        code: "releases_unknown",
      });
      expect(findings.map(({ key, fields }) => [key, fields?.[0]?.field])).toEqual([
        ["packages/kiwi", "releases[1.2.0]"],
        ["packages/pear", "releases[1.0.0].retired"],
        ["tarballs/kiwi-1.2.0.tar", undefined],
      ]);
      const report = await adopt(context, { acceptLoss: true, onFinding() {}, signal });
      expect(report).toEqual({ raised: 1, kept: 1 });
      await rebuild(context, generator, { strays: "keep", signal });
      expect(await publicStore.head("tarballs/kiwi-1.2.0.tar")).toBeDefined();
      await rebuild(context, generator, { strays: "delete", signal });
      await generator.releaseClaims();
      await after.expectWhole({ kiwi: ["1.0.0"], pear: ["1.0.0"] });
    } finally {
      await generator.releaseClaims();
      await after.close();
      await before.close();
      await backup.drop();
    }
  });
});
