import { expect, it } from "vitest";
import { readApiConfig, readServeConfig } from "./config.ts";
import type { Source } from "./read.ts";

const source = (environment: Record<string, string>): Source => ({ environment, readFile: () => "" });
const API = {
  DATABASE_URL: "postgres://a@b/c",
  SKEP_KEY_SECRET: "s".repeat(32),
  SKEP_TOKEN_KEY_FILE: "token-key.pem",
};
const SMTP = {
  SKEP_SMTP_URL: "smtp://ann:hunter2@mail.example:587",
  SKEP_MAIL_FROM: "Skep <skep@acme.example>",
};

it("mails go over SMTP where it is set, and addresses are verified then", () => {
  const { mail, verifyEmails } = readApiConfig(source({ ...API, ...SMTP }));
  expect([mail.kind, verifyEmails]).toEqual(["smtp", true]);
  expect(JSON.stringify(mail)).not.toContain("hunter2");
  expect(readApiConfig(source({ ...API, ...SMTP, SKEP_VERIFY_EMAILS: "off" })).verifyEmails).toBe(false);
});

it("without it `serve` has a folder, and the API alone sends none", () => {
  const served = readServeConfig(source({ SKEP_DATA_DIR: "/data", SKEP_VERIFY_EMAILS: "on" }));
  expect([served.mail, served.verifyEmails]).toEqual([
    { kind: "folder", path: "/data/mail", from: "skep@localhost" },
    true,
  ]);
  const api = readApiConfig(source(API));
  expect([api.mail, api.verifyEmails]).toEqual([{ kind: "none" }, false]);
});

it.each<[Record<string, string>, RegExp]>([
  [{ SKEP_VERIFY_EMAILS: "on" }, /SKEP_SMTP_URL is missing, which SKEP_VERIFY_EMAILS=on needs/],
  [{ SKEP_SMTP_URL: SMTP.SKEP_SMTP_URL }, /SKEP_MAIL_FROM is missing, which SKEP_SMTP_URL needs/],
  [{ SKEP_SMTP_URL: "http://ann:hunter2@mail.example" }, /SKEP_SMTP_URL must be a URL such as/],
  [{ ...SMTP, SKEP_MAIL_FROM: "a@b.example, c@d.example" }, /SKEP_MAIL_FROM must be an address/],
  [{ ...SMTP, SKEP_MAIL_FROM: "a@b.example\r\nBcc: c@d.example" }, /SKEP_MAIL_FROM must be an address/],
  [{ SKEP_TRUSTED_NETWORKS: "10.0.0.0/8,nowhere" }, /SKEP_TRUSTED_NETWORKS must be addresses or networks/],
  [{ SKEP_TRUSTED_NETWORKS: "10.0.0.0/33" }, /SKEP_TRUSTED_NETWORKS must be addresses or networks/],
])("%j is refused by name, without the password", (environment, message) => {
  expect(() => readApiConfig(source({ ...API, ...environment }))).toThrow(message);
  expect(() => readApiConfig(source({ ...API, ...environment }))).not.toThrow(/hunter2/);
});
