/** The message types of our .proto files, read strictly. */
import { readFileSync } from "node:fs";
import protobuf from "protobufjs";
import { ProtoError } from "./errors.ts";

const FILES = ["timestamp", "signed", "names", "versions", "package", "policy"];

export interface MessageType {
  /** @param message plain values under the camel-case names of the .proto file; absent fields are left out */
  encode(message: object): Uint8Array;
  /** @returns the message as field `number` of another: tag, length and bytes. */
  encodeField(number: number, message: object): Uint8Array;
  /**
   * Unknown fields are skipped.
   * @throws {ProtoError} `protobuf_malformed`
   */
  decode(bytes: Uint8Array): protobuf.Message;
}

const root = loadRoot();

/** @param name of a message in one of the .proto files */
export function messageType(name: string): MessageType {
  const type = root.lookupType(name);
  return {
    encode: (message) => type.encode(message).finish(),
    encodeField: (number, message) =>
      type.encodeDelimited(message, protobuf.Writer.create().uint32(fieldTag(number))).finish(),
    decode(bytes) {
      try {
        const reader = protobuf.Reader.create(bytes);
        reader.discardUnknown = true;
        return type.decode(reader);
      } catch (cause) {
        throw new ProtoError("protobuf_malformed", `not a ${name} message: ${(cause as Error).message}`, {
          cause,
        });
      }
    },
  };
}

/** @returns the tag of a field whose bytes are preceded by their length. */
function fieldTag(number: number): number {
  return number * 8 + 2;
}

function loadRoot(): protobuf.Root {
  const loaded = new protobuf.Root();
  for (const file of FILES) {
    protobuf.parse(readFileSync(new URL(`${file}.proto`, import.meta.url), "utf8"), loaded);
  }
  for (const definition of loaded.nestedArray) {
    // Otherwise U+FFFD stands in for bytes that are not UTF-8, and two names could look the same.
    definition.setOption("features.utf8_validation", "VERIFY");
    // proto2's enums are closed: a value that a later specification adds would be dropped, and with it the
    // whole file where the field is required. Hex's clients keep its number.
    definition.setOption("features.enum_type", "OPEN");
  }
  loaded.resolveAll();
  return loaded;
}
