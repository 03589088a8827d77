import { describe, expect, it } from "vitest";
import { licenseProblem } from "./licenses.ts";

describe("8.3: licenseProblem", () => {
  it.each([
    "MIT",
    "Apache-2.0",
    "BSD-3-Clause",
    "0BSD",
    "GPL-3.0-only",
    "GPL-3.0",
    "GPL-2.0-with-classpath-exception",
    "AGPL-3.0",
    "bzip2-1.0.6",
    "LicenseRef-Ours",
    "LicenseRef-a.b-1",
  ])("accepts %s", (text) => {
    expect(licenseProblem(text)).toBeUndefined();
  });

  it.each([
    ["mit", 'invalid license "mit"'],
    ["MIT ", 'invalid license "MIT "'],
    ["MIT\n", 'invalid license "MIT\\n"'],
    ["Apache 2", 'invalid license "Apache 2"'],
    ["MIT OR Apache-2.0", 'invalid license "MIT OR Apache-2.0"'],
    ["", 'invalid license ""'],
    ['"', 'invalid license "\\""'],
    ["LicenseRef-", 'invalid license "LicenseRef-"'],
    ["LicenseRef-a b", 'invalid license "LicenseRef-a b"'],
    ["LicenseRef-a_b", 'invalid license "LicenseRef-a_b"'],
    ["LicenseRef-a\n", 'invalid license "LicenseRef-a\\n"'],
    ["licenseref-a", 'invalid license "licenseref-a"'],
    ["constructor", 'invalid license "constructor"'],
  ])("refuses %j", (text, message) => {
    expect(licenseProblem(text)).toBe(message);
  });
});
