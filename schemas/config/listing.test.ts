import { expect, it } from "vitest";
import { listSettings } from "./listing.ts";
import { SETTING_NAMES } from "./settings.ts";

const SECRETS = {
  DATABASE_URL: "postgres://skep:hunter2@db/skep",
  SKEP_KEY_SECRET: "hunter2hunter2hunter2hunter2hunter2",
  SKEP_FASTLY_TOKEN: "hunter2",
  SKEP_PUBLIC_STORE_SECRET_ACCESS_KEY: "hunter2",
};

it("lists every setting, with where it came from, and no secret", () => {
  const source = {
    environment: {
      ...SECRETS,
      SKEP_DATA_DIR: "/data",
      SKEP_CONFIG_FILE: "/f",
      SKEP_PUBLIC_STORE: "s3://bucket/a",
    },
    readFile: () => "SKEP_ALLOW_REPLACE=no",
  };
  const listed = listSettings(source);
  expect(listed.map(({ name }) => name)).toEqual(SETTING_NAMES);
  expect(JSON.stringify(listed)).not.toContain("hunter2");
  const byName = Object.fromEntries(listed.map(({ name, value, origin }) => [name, [value, origin]]));
  expect(byName).toMatchObject({
    DATABASE_URL: ["[secret]", "environment"],
    SKEP_ALLOW_REPLACE: ["off", "file"],
    SKEP_PUBLIC_STORE: ["s3://bucket/a", "environment"],
    SKEP_PRIVATE_STORE: ["folder:/data/private", "default"],
    SKEP_URL: ["http://localhost:4000", "default"],
    SKEP_PORT: ["4000", "default"],
    SKEP_FASTLY_SERVICE_ID: [undefined, "default"],
  });
});
