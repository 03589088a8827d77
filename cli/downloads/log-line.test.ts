import { describe, expect, it } from "vitest";
import { fetchedTarball, parseLogLine } from "./log-line.ts";

const JSON_LINE =
  '{"time":"2026-08-21T10:00:00Z","method":"GET","url":"/tarballs/pear-1.0.0.tar","status":200}';
const COMBINED =
  '192.0.2.1 - - [21/Aug/2026:10:00:00 +0000] "GET /tarballs/pear-1.0.0.tar HTTP/1.1" 200 12288 "-" "Hex/2.5"';

describe("parseLogLine", () => {
  const line = { day: "2026-08-21", method: "GET", url: "/tarballs/pear-1.0.0.tar", status: 200 };
  it.each([
    ["JSON", JSON_LINE],
    ["JSON behind syslog's header", `<134>2026-08-21T10:00:00Z cache-fra19136 skep[423]: ${JSON_LINE}`],
    ["JSON with other names", JSON_LINE.replace("time", "timestamp").replace("url", "path")],
    ["JSON with texts for numbers", JSON_LINE.replace("200", '"200"')],
    ["JSON with seconds since 1970", JSON_LINE.replace('"2026-08-21T10:00:00Z"', "1787306400")],
    ["JSON with a common time", JSON_LINE.replace("2026-08-21T10:00:00Z", "[21/Aug/2026:10:00:00 +0000]")],
    ["combined", COMBINED],
    ["common", COMBINED.slice(0, COMBINED.indexOf(' "-"'))],
    ["combined behind syslog's header", `<134>2026-08-21T10:00:00Z cache-fra19136 skep: ${COMBINED}`],
    ["a user whose name has spaces", COMBINED.replace("- -", "- ann b")],
    [
      "another time zone, the day before",
      COMBINED.replace("21/Aug/2026:10:00:00 +0000", "20/Aug/2026:23:30:00 -0100"),
    ],
    [
      "another time zone, the day after",
      COMBINED.replace("21/Aug/2026:10:00:00 +0000", "22/Aug/2026:00:30:00 +0100"),
    ],
    ["an offset without a colon", JSON_LINE.replace("10:00:00Z", "10:00:00.5+0000")],
  ])("%s", (_, text) => expect(parseLogLine(text)).toEqual(line));

  it.each([
    ["nothing", ""],
    ["words", "hello there"],
    ["JSON that is cut off", JSON_LINE.slice(0, -5)],
    ["JSON without a status", '{"time":"2026-08-21T10:00:00Z","method":"GET","url":"/"}'],
    ["a time without an offset", JSON_LINE.replace("00Z", "00")],
    ["a time that is none", JSON_LINE.replace("2026-08-21T10:00:00Z", "now")],
    ["a time beyond all calendars", JSON_LINE.replace('"2026-08-21T10:00:00Z"', "1e300")],
    ["a list", "[1]"],
    ["a null", '{"time":null,"method":null,"url":null,"status":null}'],
  ])("not %s", (_, text) => expect(parseLogLine(text)).toBeUndefined());
});

describe("fetchedTarball", () => {
  const fetched = (url: string, status = 200, method = "GET") =>
    fetchedTarball({ day: "2026-08-21", method, url, status });
  const pear = { repository: undefined, package: "pear", version: "1.0.0-rc.1" };

  it.each([
    ["/tarballs/pear-1.0.0-rc.1.tar", pear],
    ["tarballs/pear-1.0.0-rc.1.tar", pear],
    ["/repo/tarballs/pear-1.0.0-rc.1.tar?x=y", pear],
    ["http://repo.example/tarballs/pear-1.0.0-rc.1.tar", pear],
    ["/tarballs/pear-1.0.0%2Drc.1.tar", pear],
    ["/repos/acme/tarballs/pear-1.0.0-rc.1.tar", { ...pear, repository: "acme" }],
    ["/repo/repos/acme/tarballs/pear-1.0.0-rc.1.tar", { ...pear, repository: "acme" }],
    ["/docs/pear-1.0.0-rc.1.tar.gz", undefined],
    ["/packages/pear", undefined],
    ["/tarballs/pear.tar", undefined],
    ["/tarballs/pear-1.0.tar", undefined],
    ["/tarballs/Pear-1.0.0.tar", undefined],
    ["/repos/../tarballs/pear-1.0.0.tar", undefined],
    ["/%", undefined],
  ])("%s", (url, tarball) => expect(fetched(url)).toEqual(tarball));

  it("13.3: counts what was sent and what the client had, nothing else", () => {
    const url = "/tarballs/pear-1.0.0-rc.1.tar";
    const counted = [200, 206, 301, 304, 403, 404, 500].filter(
      (status) => fetched(url, status) !== undefined,
    );
    expect(counted).toEqual([200, 304]);
    expect(fetched(url, 200, "HEAD")).toBeUndefined();
  });
});
