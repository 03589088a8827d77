/** Licences as packages name them: identifiers of the SPDX licence list. */
import deprecatedIds from "spdx-license-ids/deprecated.json" with { type: "json" };
import currentIds from "spdx-license-ids/index.json" with { type: "json" };

// Deprecated identifiers, `GPL-3.0` for example, are in many packages that exist.
const SPDX_IDS: ReadonlySet<string> = new Set([...currentIds, ...deprecatedIds]);

/** How SPDX names a licence that is not on its list. */
const LICENSE_REF = /^LicenseRef-[A-Za-z0-9.-]+$/;

/**
 * @param text one licence, in the letter case of the SPDX list
 * @returns why it may not stand in a package's metadata, in the words of the Hex API, or undefined.
 */
export function licenseProblem(text: string): string | undefined {
  if (SPDX_IDS.has(text) || LICENSE_REF.test(text)) return undefined;
  return `invalid license ${JSON.stringify(text)}`;
}
