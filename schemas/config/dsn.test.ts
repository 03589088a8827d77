import { expect, it } from "vitest";
import { dsnParts } from "./dsn.ts";

it.each<[dsn: string, endpoint: string]>([
  ["https://abc123@o1.ingest.sentry.io/42", "https://o1.ingest.sentry.io/api/42/envelope/"],
  ["http://abc123@localhost:9000/7/", "http://localhost:9000/api/7/envelope/"],
  ["https://abc123@acme.example/errors/at/7", "https://acme.example/errors/at/api/7/envelope/"],
])("%s", (dsn, endpoint) => {
  expect(dsnParts(dsn)).toEqual({ endpoint, publicKey: "abc123" });
});

it.each([
  "",
  "acme.example/7",
  "ftp://key@acme.example/7",
  "https://acme.example/7",
  "https://key:secret@acme.example/7",
  "https://key@acme.example/",
  "https://key@acme.example/project",
  "https://key@acme.example/7?x=1",
])("refuses %j", (dsn) => {
  expect(dsnParts(dsn)).toBeUndefined();
});
