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

export function rebarConfig({ name, url, repositoryUrl, publicKey }: Installation): string {
  return `{hex, [{repos, [#{
  name => <<"${name}">>,
  repo_url => <<"${repositoryUrl}">>,
  api_url => <<"${url}/api">>,
  repo_public_key => <<"${publicKey?.trimEnd() ?? "PUBLIC KEY"}
">>
}]}]}.`;
}
