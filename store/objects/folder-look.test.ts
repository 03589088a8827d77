import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fileAt, RepeatedLook } from "./folder-look.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-look-"));
  await writeFile(join(folder, "file"), "12345");
  await symlink("file", join(folder, "link"));
  await mkdir(join(folder, "directory"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it.each([
  ["file", expect.objectContaining({ size: 5n })],
  ["link", "link"],
  ["directory", undefined],
  ["missing", undefined],
  ["file/below", undefined],
])("both ways of looking see the same: %s", async (name, expected) => {
  const path = join(folder, name);
  expect(await fileAt(path)).toEqual(expected);
  expect(new RepeatedLook().at(path)).toEqual(expected);
});

it("asks another thread for a while when answers take long", () => {
  let time = 0;
  let step = 0.01;
  const look = new RepeatedLook(() => {
    time += step;
    return time;
  });
  const isDirect = () => !(look.at(join(folder, "file")) instanceof Promise);
  const looks = (count: number) => Array.from({ length: count }, isDirect);
  expect(looks(20)).not.toContain(false);
  step = 2;
  expect(looks(6)).toContain(false);
  expect(isDirect()).toBe(false);
  step = 0.01;
  time += 1_000;
  expect(looks(20)).not.toContain(false);
});
