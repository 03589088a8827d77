import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FolderStore, openFolderStore } from "../../store/objects/folder.ts";
import { probeConditionalWrites } from "../../store/objects/probe.ts";
import { describeObjectStore } from "./object-store.ts";

describe("folder store", () => {
  let folder: string;
  let store: FolderStore;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "skep-folder-"));
    store = await openFolderStore(join(folder, "made", "when needed"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  describeObjectStore(() => store);

  it("honours conditions", async () => {
    expect(await probeConditionalWrites(store)).toEqual({ conditionalPut: true, conditionalDelete: true });
  });
});

/** Nothing that one process remembers may be needed: every operation by a store that was just opened. */
describe("folder store, opened anew each time", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "skep-folder-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  describeObjectStore(() => new FolderStore(folder), { manyKeys: 20 });
});
