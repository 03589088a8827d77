/** The checks of `public_key`. */
import type { KeyObject } from "node:crypto";
import { ProtoError } from "../proto/errors.ts";
import { isSpkiPem, readPublicKey } from "../proto/public-key.ts";
import type { RepositoryReader } from "./reader.ts";
import type { Findings } from "./report.ts";

const KEY = "public_key";
const LARGEST_PEM = 65_536;
const LEAST_BITS = 2048;

/**
 * @param given PEM of the key to trust; the served one is trusted when undefined
 * @returns the key to verify with; undefined, after a finding, when there is none.
 */
export async function readTrustedKey(
  reader: RepositoryReader,
  findings: Findings,
  given: string | undefined,
): Promise<KeyObject | undefined> {
  const trusted = given === undefined ? undefined : parse(findings, given, "the key to trust: ");
  const object = await reader.read(KEY, LARGEST_PEM);
  if (object === undefined) return trusted;
  const pem = Buffer.from(object.body).toString("utf8");
  const served = parse(findings, pem, "");
  if (served !== undefined) checkForm(findings, pem, served);
  if (given === undefined) return served;
  if (served !== undefined && trusted !== undefined && !served.equals(trusted)) {
    findings.error(KEY, "public-key", "is another key than the one to trust");
  }
  // Never the served one in place of a given one that cannot be read.
  return trusted;
}

function parse(findings: Findings, pem: string, whose: string): KeyObject | undefined {
  try {
    return readPublicKey(pem);
  } catch (error) {
    if (!(error instanceof ProtoError)) throw error;
    findings.error(KEY, "public-key", whose + error.message);
    return undefined;
  }
}

function checkForm(findings: Findings, pem: string, key: KeyObject): void {
  if (!isSpkiPem(pem)) {
    const message = "PKCS#1 PEM, which gleam cannot read: SPKI (BEGIN PUBLIC KEY) is expected";
    findings.warning(KEY, "public-key", message);
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < LEAST_BITS) findings.warning(KEY, "public-key", `only ${bits} bits long`);
}
