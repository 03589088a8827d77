/** The lines with which a package is named in the files of the build tools. */
import { parseVersion } from "../hex/versions/version.ts";

const ELIXIR_ATOM = /^[a-zA-Z_][a-zA-Z_0-9]*$/;
const ERLANG_ATOM = /^[a-z][a-zA-Z_0-9]*$/;

/**
 * @param organization of a private package: mix takes it for the repository
 * @returns lines by file name; the version decides how loosely it is required.
 */
export function configs(
  name: string,
  app: string,
  version: string,
  organization?: string,
): Readonly<Record<string, string>> {
  const { core, pre, major, minor } = parts(version);
  const exact = `${core}${pre}`;
  const loose = pre !== "" ? exact : major === "0" ? core : `${major}.${minor}`;
  const elixirApp = ELIXIR_ATOM.test(app) ? app : JSON.stringify(app);
  const erlangApp = ERLANG_ATOM.test(app) ? app : `'${app}'`;
  const mixOptions = [
    app === name ? "" : `, hex: :${name}`,
    organization === undefined ? "" : `, organization: ${JSON.stringify(organization)}`,
  ].join("");
  return {
    "mix.exs": `{:${app === name ? name : elixirApp}, "~> ${loose}"${mixOptions}}`,
    "rebar.config": app === name ? `{${name}, "${exact}"}` : `{${erlangApp}, "${exact}", {pkg, ${name}}}`,
    "erlang.mk": `dep_${name} = hex ${exact}`,
  };
}

function parts(version: string) {
  const [withoutBuild = ""] = version.split("+", 1);
  const dash = withoutBuild.indexOf("-");
  const core = dash < 0 ? withoutBuild : withoutBuild.slice(0, dash);
  const [major = "0", minor = "0"] = core.split(".");
  return { core, major, minor, pre: parseVersion(version)?.pre.length ? withoutBuild.slice(dash) : "" };
}
