/** What a failed S3 request means. */
import { S3ServiceException } from "@aws-sdk/client-s3";
import { SkepError } from "../../schemas/errors.ts";

/** @returns whether the answer says that there is no such object. A HEAD carries no reason, only 404. */
export function isMissing(error: unknown): boolean {
  return (
    error instanceof S3ServiceException &&
    error.$metadata.httpStatusCode === 404 &&
    error.name !== "NoSuchBucket"
  );
}

/** @returns whether a condition did not hold. */
export function isPreconditionFailed(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412;
}

/**
 * The error itself is not kept as the cause: some services put the access key or the string that was signed
 * into it, and it would end in a log.
 * @param what completes "cannot"
 */
export function unavailable(what: string, error: unknown): SkepError {
  return new SkepError("store_unavailable", `cannot ${what}: ${reasonOf(error)}`);
}

function reasonOf(error: unknown): string {
  if (error instanceof S3ServiceException) {
    const { httpStatusCode: status, requestId } = error.$metadata;
    const request = requestId === undefined ? "" : `, request ${requestId}`;
    return `${error.name} (HTTP ${status ?? "unknown"}${request})${hint(error.name, status)}`;
  }
  if (!(error instanceof Error)) return "unknown error";
  if (error.name === "AbortError" || error.name === "TimeoutError") return "no answer in time";
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.name === "CredentialsProviderError" ? "no credentials were found" : error.name;
}

function hint(name: string, status: number | undefined): string {
  if (name === "NoSuchBucket") return "; the bucket does not exist";
  if (["AccessDenied", "Forbidden", "403"].includes(name))
    return "; without s3:ListBucket a missing object is answered like this, too";
  if (status === 301) return "; the bucket is in another region";
  return "";
}
