/** varnishd with our VCL in front of an origin, emptied before each test. */
import { afterAll, beforeAll, beforeEach, expect, vi } from "vitest";
import { packageName, repositoryName, trusted, version } from "../../hex/ids.ts";
import {
  objectKey,
  type RepositoryObject,
  type RepositoryRef,
  repositorySurrogateKey,
} from "../../hex/keys.ts";
import { type RunningVarnish, startVarnish } from "../support/varnish.ts";
import { type Answer, purge, request } from "./client.ts";
import { type Origin, startOrigin } from "./origin.ts";

export const repository: RepositoryRef = { name: trusted(repositoryName, "local"), public: true };
/** The surrogate key of every object. */
export const everything = repositorySurrogateKey(repository);
export const names: RepositoryObject = { kind: "names" };
export const versions: RepositoryObject = { kind: "versions" };
export const plug = packageObject("plug");
export const jason = packageObject("jason");

export function packageObject(name: string): RepositoryObject {
  return { kind: "package", package: trusted(packageName, name) };
}
export function tarball(name: string, text: string): RepositoryObject {
  return { kind: "tarball", package: trusted(packageName, name), version: trusted(version, text) };
}
export function pathOf(object: RepositoryObject): string {
  return `/${objectKey(repository, object)}`;
}

/** Headers with which an object expires after one second, the shortest time that Surrogate-Control has. */
export const briefly = { "surrogate-control": "public, max-age=1" };

export interface Stage {
  readonly origin: Origin;
  readonly varnish: RunningVarnish;
  /** What a client gets. */
  get(object: RepositoryObject, headers?: Record<string, string>): Promise<Answer>;
  /** Until Varnish answers with the object although it has expired. */
  untilExpired(object: RepositoryObject): Promise<void>;
  /** Brings the origin up, and waits until Varnish, which leaves it alone for a moment, asks it again. */
  comeBack(): Promise<void>;
}

/** Sets the stage for a suite; to be called in its `describe`. */
export function useStage(): Stage {
  let origin: Origin | undefined;
  let varnish: RunningVarnish | undefined;
  const stage: Stage = {
    get origin() {
      return set(origin);
    },
    get varnish() {
      return set(varnish);
    },
    get: (object, headers = {}) => request(stage.varnish, pathOf(object), { headers }),
    untilExpired: (object) =>
      vi.waitFor(async () => expect((await stage.get(object)).headers["x-cache"]).toBe("STALE"), {
        timeout: 5_000,
        interval: 50,
      }),
    async comeBack() {
      await stage.origin.up();
      await vi.waitFor(async () => expect((await request(stage.varnish, "/nothing")).status).toBe(404), {
        timeout: 5_000,
      });
    },
  };
  beforeAll(async () => {
    origin = await startOrigin(repository);
    varnish = await startVarnish({ originPort: origin.port });
  });
  afterAll(async () => {
    await varnish?.stop();
    await origin?.down();
  });
  beforeEach(async () => {
    stage.origin.reset();
    await purge(stage.varnish, everything);
  });
  return stage;
}

function set<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the stage is set before the first test, not before");
  return value;
}
