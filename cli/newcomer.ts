/** The few lines that somebody needs who has just started a registry. */

export interface Installation {
  readonly repositoryName: string;
  readonly repositoryUrl: string;
  /** Without `/api`. */
  readonly url: string;
  readonly fingerprint: string;
  readonly publicKeyPem: string;
}

/** How to fetch from it, for mix and rebar3. */
export function fetchingLines({
  repositoryName,
  repositoryUrl,
  url,
  fingerprint,
  publicKeyPem,
}: Installation): string {
  return `mix      mix hex.repo add ${repositoryName} ${repositoryUrl} --fetch-public-key ${fingerprint}
         then in mix.exs: {:name, "~> 1.0", repo: "${repositoryName}"}

rebar3   in rebar.config (or ~/.config/rebar3/rebar.config):
         {hex, [{repos, [#{name => <<"${repositoryName}">>,
           repo_url => <<"${repositoryUrl}">>,
           api_url => <<"${url}/api">>,
           repo_public_key => <<"${publicKeyPem.trimEnd()}
">>}]}]}.`;
}

/** How to publish to it. @param command that runs skep */
export function publishingLines(
  { repositoryName, url }: Installation,
  command: string,
  username: string,
): string {
  return `key      export HEX_API_KEY=$(${command} key create --user ${username})
mix      HEX_API_URL=${url}/api mix hex.publish
rebar3   rebar3 hex publish --repo ${repositoryName}`;
}

/** The page at `/`. */
export function frontPage(installation: Installation): string {
  return `skep, a registry of Hex packages: repository ${installation.repositoryName}

Fetch packages from it:

${fetchingLines(installation)}

Publish to it with an API key in HEX_API_KEY:

mix      HEX_API_URL=${installation.url}/api mix hex.publish
rebar3   rebar3 hex publish --repo ${installation.repositoryName}`;
}

export interface Start {
  readonly installation: Installation;
  readonly dataFolder: string;
  readonly database: string;
  readonly command: string;
  /** Of an account that was made by this start. */
  readonly administrator: { readonly username: string; readonly password: string } | undefined;
  readonly seconds: number;
}

/** What `skep serve` prints when it is ready. @param heading marks a line that is a heading */
export function readyText(start: Start, heading: (text: string) => string): string {
  const { installation, administrator } = start;
  const ready = `skep is ready after ${start.seconds.toFixed(1)} s: ${installation.url}`;
  const places = `repository ${installation.repositoryName} at ${installation.repositoryUrl}
signing key ${installation.fingerprint}
data in ${start.dataFolder}, database ${start.database}`;
  if (administrator === undefined) return `${heading(ready)}\n${places}\nstop with ^C`;
  return `${heading(ready)}
${places}

${heading("The first account, shown this once")}
user name ${administrator.username}, password ${administrator.password}

${heading("Fetch packages")}
${fetchingLines(installation)}

${heading("Publish packages")}
${publishingLines(installation, start.command, administrator.username)}

stop with ^C; \`${start.command} --help\` shows what else there is`;
}
