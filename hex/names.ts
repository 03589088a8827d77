/** Names that may be given to new packages and accounts, in the words of the Hex API where they may not. */
import { packageName } from "./ids.ts";

/**
 * Our own bound: a file of the store is named after package and version, a folder after a private
 * repository, and file systems end a name at 255 bytes. The longest version that may be published takes 109
 * of them, the hyphen and `.tar.gz` 8.
 */
const MAX_LENGTH = 128;

const MIN_PACKAGE_NAME = 2;
const MIN_USERNAME = 3;
const USERNAME = /^[a-z0-9_\-.]+$/;

const RESERVED_USERNAMES: ReadonlySet<string> = words("me hex hexpm elixir erlang otp");

/** Applications of Elixir and Erlang/OTP, names that deceive, and names that some system gives a meaning. */
const RESERVED_PACKAGE_NAMES: ReadonlySet<string> = words(
  "eex elixir elixirc ex_unit iex logger mix",
  "erlang typer to_erl run_erl escript erlc erl epmd dialyzer ct_run rebar rebar3 hex hexpm mix_hex",
  "otp asn1 common_test compiler crypto debugger dialyzer diameter edoc eldap erl_docgen erl_interface erts",
  "et eunit ftp hipe inets jinterface kernel megaco mnesia observer odbc os_mon parsetools public_key reltool",
  "runtime_tools sasl snmp ssh ssl stdlib syntax_tools toolbar tools typer wx xmerl",
  "tftp httpc httpd",
  "net http net_http gen_http",
  "nul con prn aux com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9",
  "package organization www myapp lock locked all assets",
  "api docs preview search staging stats static",
);

function words(...lines: readonly string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(" ")));
}

interface Rules {
  readonly min: number;
  readonly isWellFormed: (text: string) => boolean;
  readonly reserved: ReadonlySet<string>;
}

/** Of several reasons the last is told, as the API does for every field. */
function problem(text: string, { min, isWellFormed, reserved }: Rules): string | undefined {
  if (text.trim() === "") return "can't be blank";
  if (reserved.has(text)) return "is reserved";
  if (!isWellFormed(text)) return "has invalid format";
  if (text.length > MAX_LENGTH) return `should be at most ${MAX_LENGTH} character(s)`;
  return text.length < min ? `should be at least ${min} character(s)` : undefined;
}

/** @returns why no new package may have this name, or undefined when one may. */
export function packageNameProblem(text: string): string | undefined {
  return problem(text, {
    min: MIN_PACKAGE_NAME,
    isWellFormed: (name) => packageName(name) !== undefined,
    reserved: RESERVED_PACKAGE_NAMES,
  });
}

/** @returns a username as it is stored and compared: in lower case. */
export function normalizeUsername(text: string): string {
  return text.toLowerCase();
}

/**
 * @param text a username as {@link normalizeUsername} gives it
 * @returns why no new account may have it, or undefined when one may.
 */
export function usernameProblem(text: string): string | undefined {
  return problem(text, {
    min: MIN_USERNAME,
    isWellFormed: (name) => USERNAME.test(name),
    reserved: RESERVED_USERNAMES,
  });
}
