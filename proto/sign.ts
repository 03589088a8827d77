/** The outer message: payload and signature. */
import { type KeyObject, verify } from "node:crypto";
import protobuf from "protobufjs";
import { ProtoError } from "./errors.ts";
import { readPublicKey } from "./public-key.ts";
import { messageType } from "./schema.ts";
import type { Signer } from "./signer.ts";

const Signed = messageType("Signed");
const PAYLOAD_TAG = 0x0a;
const SIGNATURE_TAG = 0x12;

export interface SignedMessage {
  readonly payload: Uint8Array;
  /** Absent in files that were never signed. */
  readonly signature: Uint8Array | undefined;
}

/** @returns an encoded Signed message. */
export async function signPayload(payload: Uint8Array, signer: Signer): Promise<Uint8Array> {
  return wrapSigned(payload, await signer.sign(payload));
}

export function wrapSigned(payload: Uint8Array, signature: Uint8Array): Uint8Array {
  return Signed.encode({ payload, signature });
}

/** @returns what stands before and behind a payload of that many bytes in its Signed message. */
export function signedFrame(
  payloadBytes: number,
  signature: Uint8Array,
): { readonly head: Uint8Array; readonly tail: Uint8Array } {
  return {
    head: protobuf.Writer.create().uint32(PAYLOAD_TAG).uint32(payloadBytes).finish(),
    tail: protobuf.Writer.create().uint32(SIGNATURE_TAG).bytes(signature).finish(),
  };
}

/** @throws {ProtoError} `protobuf_malformed`. The signature is not looked at. */
export function openSigned(signed: Uint8Array): SignedMessage {
  const { payload, signature } = Signed.decode(signed) as unknown as {
    payload: Uint8Array;
    signature?: Uint8Array;
  };
  return { payload, signature: signature === undefined || signature.length === 0 ? undefined : signature };
}

/**
 * @param publicKey PEM, or a key that {@link readPublicKey} gave, which spares reading it for every file
 * @returns the payload, whose signature is right.
 * @throws {ProtoError} `protobuf_malformed`, `signature_missing`, `signature_invalid`, `key_invalid`
 */
export function verifySigned(signed: Uint8Array, publicKey: string | KeyObject): Uint8Array {
  const { payload, signature } = openSigned(signed);
  if (signature === undefined) throw new ProtoError("signature_missing", "the file is not signed");
  const key = typeof publicKey === "string" ? readPublicKey(publicKey) : publicKey;
  if (!verify("sha512", payload, key, signature)) {
    throw new ProtoError("signature_invalid", "the signature is not of this payload under this key");
  }
  return payload;
}
