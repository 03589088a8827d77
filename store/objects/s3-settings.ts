/** Where a bucket is and how to reach it. */
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { SkepError } from "../../schemas/errors.ts";
import { assertKey } from "./key.ts";

export interface S3Settings {
  readonly bucket: string;
  /** A folder within the bucket, with or without a slash at its end. Default: the whole bucket. */
  readonly prefix?: string;
  /** Of a service other than AWS. */
  readonly endpoint?: string;
  /** Default: `us-east-1` with an endpoint, else what the SDK finds. */
  readonly region?: string;
  /** `endpoint/bucket` instead of `bucket.endpoint`. Default: true with an endpoint. */
  readonly forcePathStyle?: boolean;
  /** Default: the SDK's chain (environment, shared files, instance role). */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** Default 3,000. */
  readonly connectTimeoutMs?: number;
  /** For a whole request with its body. Default 30,000. */
  readonly requestTimeoutMs?: number;
}

const CONNECT_MS = 3_000;
export const REQUEST_MS = 30_000;

/** @throws SkepError `config_invalid` for an endpoint that is not http(s), or that holds a password. */
export function clientConfig(settings: S3Settings, maxAttempts: number): S3ClientConfig {
  const { endpoint, credentials } = settings;
  assertEndpoint(endpoint);
  const region = settings.region ?? (endpoint === undefined ? undefined : "us-east-1");
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials }),
    forcePathStyle: settings.forcePathStyle ?? endpoint !== undefined,
    maxAttempts,
    // Other services do not know the checksums that the SDK adds by itself; ours is Content-MD5.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: {
      connectionTimeout: settings.connectTimeoutMs ?? CONNECT_MS,
      requestTimeout: settings.requestTimeoutMs ?? REQUEST_MS,
      throwOnRequestTimeout: true,
    },
  };
}

function assertEndpoint(endpoint: string | undefined): void {
  if (endpoint === undefined) return;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "")
    throw new SkepError("config_invalid", "an S3 endpoint is an http(s) URL without user name and password");
}

/** @returns what stands before every key: "" or a folder with a slash at its end. */
export function keyPrefix(settings: S3Settings): string {
  const folder = (settings.prefix ?? "").replace(/\/+$/, "");
  if (folder === "") return "";
  assertKey(folder);
  return `${folder}/`;
}
