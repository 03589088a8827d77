/** Commands and lines for the build tools, with this installation's own values. Pure. */

export interface Installation {
  readonly name: string;
  /** Without `/api`. */
  readonly url: string;
  readonly repositoryUrl: string;
  /** Undefined before the first signature. */
  readonly fingerprint: string | undefined;
  readonly publicKey: string | undefined;
}

export function mixCommands({ name, url, repositoryUrl, fingerprint }: Installation) {
  return {
    add: `mix hex.repo add ${name} ${repositoryUrl} \\\n  --fetch-public-key ${fingerprint ?? "FINGERPRINT"}`,
    depend: `{:name, "~> 1.0", repo: "${name}"}`,
    publish: `export HEX_API_KEY=...\nHEX_API_URL=${url}/api mix hex.publish`,
  };
}

/** The same for the private repository of an organization. @param key of one of its readers */
export function privateMixCommands(installation: Installation, organization: string, key: string) {
  const repositoryUrl = privateUrl(installation, organization);
  const { add, depend, publish } = mixCommands({ ...installation, name: organization, repositoryUrl });
  return {
    add: `${add} \\\n  --auth-key ${key}`,
    depend,
    publish: `${publish} --organization ${organization}`,
  };
}

function privateUrl({ repositoryUrl }: Installation, organization: string): string {
  return `${repositoryUrl}/repos/${organization}`;
}

/** @param organization whose private repository is to be known as well */
export function rebarConfig({ name, url, repositoryUrl, publicKey }: Installation, organization?: string) {
  // rebar3 takes for it all that is said of the repository before the colon.
  const others = organization === undefined ? "" : `\n#{name => <<"${name}:${organization}">>},\n`;
  return `{hex, [{repos, [${others}#{
  name => <<"${name}">>,
  repo_url => <<"${repositoryUrl}">>,
  api_url => <<"${url}/api">>,
  repo_public_key => <<"${publicKey?.trimEnd() ?? "PUBLIC KEY"}
">>
}]}]}.`;
}

/** @returns the file in which rebar3 looks for keys. */
export function rebarKey({ name }: Installation, organization: string, key: string): string {
  return `#{<<"${name}:${organization}">> =>\n  #{repo_key => <<"${key}">>}}.`;
}
