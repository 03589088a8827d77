/** The message types of our .proto files, and a reader that refuses what protobufjs would let pass. */
import { readFileSync } from "node:fs";
import protobuf from "protobufjs";
import { ProtoError } from "./errors.ts";

const root = new protobuf.Root();
for (const file of ["timestamp", "signed", "names", "versions", "package", "policy"]) {
  protobuf.parse(readFileSync(new URL(`${file}.proto`, import.meta.url), "utf8"), root, { keepCase: false });
}
root.resolveAll();

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** protobufjs puts U+FFFD in place of bytes that are not UTF-8: two names could then look the same. */
class StrictReader extends protobuf.Reader {
  override string(): string {
    return utf8.decode(this.bytes());
  }
}

export interface MessageType {
  /** @param message plain values under the camel-case names of the .proto file; absent fields are left out */
  encode(message: object): Uint8Array;
  /** @throws {ProtoError} `protobuf_malformed` */
  decode(bytes: Uint8Array): protobuf.Message;
}

/** @param name of a message in one of the .proto files */
export function messageType(name: string): MessageType {
  const type = root.lookupType(name);
  return {
    encode: (message) => type.encode(message).finish(),
    decode(bytes) {
      try {
        return type.decode(new StrictReader(bytes));
      } catch (cause) {
        throw new ProtoError("protobuf_malformed", `not a ${name} message: ${(cause as Error).message}`, {
          cause,
        });
      }
    },
  };
}
