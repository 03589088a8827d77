/** The first byte of a term, and the tags of Erlang's external term format that have a meaning in JSON. */
export const FORMAT_VERSION = 131;

/** Names as in the "External Term Format" chapter of the Erlang/OTP documentation. */
export const TAG = {
  NEW_FLOAT: 70,
  COMPRESSED: 80,
  SMALL_INTEGER: 97,
  INTEGER: 98,
  FLOAT: 99,
  ATOM: 100,
  SMALL_TUPLE: 104,
  LARGE_TUPLE: 105,
  NIL: 106,
  STRING: 107,
  LIST: 108,
  BINARY: 109,
  SMALL_BIG: 110,
  LARGE_BIG: 111,
  SMALL_ATOM: 115,
  MAP: 116,
  ATOM_UTF8: 118,
  SMALL_ATOM_UTF8: 119,
} as const;
