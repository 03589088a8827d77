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

/** @param authKey of a private repository's reader */
export function mixCommands({ name, url, repositoryUrl, fingerprint }: Installation, authKey?: string) {
  const withKey = authKey === undefined ? "" : ` \\\n  --auth-key ${authKey}`;
  return {
    add: `mix hex.repo add ${name} ${repositoryUrl} \\\n  --fetch-public-key ${fingerprint ?? "FINGERPRINT"}${withKey}`,
    depend: `{:name, "~> 1.0", repo: "${name}"}`,
    publish: `export HEX_API_KEY=...\nHEX_API_URL=${url}/api mix hex.publish`,
  };
}

/** @param authKey as for {@link mixCommands} */
export function rebarConfig({ name, url, repositoryUrl, publicKey }: Installation, authKey?: string): string {
  const withKey = authKey === undefined ? "" : `\n  repo_key => <<"${authKey}">>,`;
  return `{hex, [{repos, [#{
  name => <<"${name}">>,
  repo_url => <<"${repositoryUrl}">>,
  api_url => <<"${url}/api">>,${withKey}
  repo_public_key => <<"${publicKey?.trimEnd() ?? "PUBLIC KEY"}
">>
}]}]}.`;
}
