/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** What this registry is, and the commands with which each build tool uses it. */
import { installationOf } from "../installation.ts";
import { mixCommands, rebarConfig } from "../instructions.ts";
import { Frame } from "../parts/frame.tsx";
import { Code } from "../parts/text.tsx";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

export async function showStart(visit: Visit): Promise<Response> {
  const installation = await installationOf(visit);
  const { name, fingerprint } = installation;
  const mix = mixCommands(installation);
  const page = (
    <Frame visit={visit} title="Packages for the BEAM">
      <h1>
        Packages of <em>{name}</em>
      </h1>
      <p class="lead">
        A registry of Hex packages for Elixir, Erlang and Gleam. Everything that it serves is signed, and your
        build tool checks that.
      </p>
      {fingerprint === undefined ? (
        <p class="notice problem">The signing key is not known yet: the generator has to run once.</p>
      ) : (
        <section class="key" aria-labelledby="fingerprint">
          <h2 id="fingerprint">Fingerprint of the public key</h2>
          <Code label="Fingerprint of the public key">{fingerprint}</Code>
          <p>Compare it with what whoever runs this registry has told you, before you trust it.</p>
        </section>
      )}
      <section aria-labelledby="mix">
        <h2 id="mix">Elixir: mix</h2>
        <p>Make the repository known, once on each machine:</p>
        <Code label="Command for mix">{mix.add}</Code>
        <p>
          Depend on a package in <code>mix.exs</code>:
        </p>
        <Code label="Line for mix.exs">{mix.depend}</Code>
        <p>
          Publish, with an <a href="/account/keys">API key</a>:
        </p>
        <Code label="Commands to publish with mix">{mix.publish}</Code>
      </section>
      <section aria-labelledby="rebar3">
        <h2 id="rebar3">Erlang: rebar3</h2>
        <p>
          In <code>rebar.config</code>, or for all projects in <code>~/.config/rebar3/rebar.config</code>:
        </p>
        <Code label="Lines for rebar.config">{rebarConfig(installation)}</Code>
        <p>Publish with the plugin rebar3_hex:</p>
        <Code label="Command to publish with rebar3">{`rebar3 hex publish --repo ${name}`}</Code>
      </section>
      <section aria-labelledby="gleam">
        <h2 id="gleam">Gleam</h2>
        <p>
          The <code>gleam</code> command of today fetches from hex.pm and publishes to it alone: it has no
          setting for another registry. Should yours have one, give it{" "}
          <code>{`${installation.url}/api`}</code> and <code>{installation.repositoryUrl}</code>, which answer
          it as hex.pm does.
        </p>
      </section>
      {visit.user === undefined ? (
        <p>
          <a class="button" href="/signup">
            Sign up
          </a>{" "}
          to publish.
        </p>
      ) : null}
    </Frame>
  );
  return respondPage(visit, page);
}
