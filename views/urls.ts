/** Absolute URLs in answers. */
import type { RepositoryName } from "../hex/ids.ts";

/** Where things are. */
export interface UrlSettings {
  /** Where browsers and clients reach this installation, without a trailing slash: the API is at `/api`. */
  readonly publicUrl: string;
  /** Where clients fetch from, without a trailing slash. */
  readonly repositoryUrl: string;
  /** Host of the documentation pages, to which a package's subdomain is prefixed. */
  readonly docsUrl: string;
  /** The same for packages of private repositories. */
  readonly privateDocsUrl: string;
  /** The public repository's name. */
  readonly repositoryName: RepositoryName;
}

export interface Urls {
  api(path: string): string;
  package(name: string): string;
  packagePage(name: string): string;
  docsPage(name: string, version?: string): string;
  docsTarball(key: string): string;
  /** The private repository whose packages these are of; undefined for the public one. */
  readonly privateRepository: string | undefined;
}

// Names that are hosts of other things below the documentation's host.
const APEX_NAMES = new Set(["api", "assets", "docs", "preview", "search", "staging", "stats", "static"]);

/** @param repository of the packages; the public one unless given */
export function urlsOf(settings: UrlSettings, repository: string = settings.repositoryName): Urls {
  const api = (path: string) => `${settings.publicUrl}/api/${path}`;
  const page = (path: string) => `${settings.publicUrl}/packages/${path}`;
  const docsTarball = (key: string) => `${settings.repositoryUrl}/${key}`;
  if (repository !== settings.repositoryName) {
    return {
      api,
      package: (name) => api(`repos/${repository}/packages/${name}`),
      packagePage: (name) => page(`${repository}/${name}`),
      docsPage: (name, version) =>
        `${below(settings.privateDocsUrl, repository)}/${name}/${version === undefined ? "" : `${version}/`}`,
      docsTarball,
      privateRepository: repository,
    };
  }
  return {
    api,
    package: (name) => api(`packages/${name}`),
    packagePage: (name) => page(name),
    docsPage(name, version) {
      const folder = version === undefined ? "" : `${version}/`;
      if (APEX_NAMES.has(name)) return `${new URL(settings.docsUrl).origin}/${name}/${folder}`;
      return `${below(settings.docsUrl, name)}/${folder}`;
    },
    docsTarball,
    privateRepository: undefined,
  };
}

/** @returns the origin whose host has the name as one more part in front; an underscore is in no host. */
function below(origin: string, name: string): string {
  const url = new URL(origin);
  return `${url.protocol}//${name.replaceAll("_", "-")}.${url.host}`;
}
