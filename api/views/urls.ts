/** Absolute URLs in answers. */
import type { ApiSettings } from "../settings.ts";

export interface Urls {
  api(path: string): string;
  package(name: string): string;
  packagePage(name: string): string;
  docsPage(name: string, version?: string): string;
  docsTarball(key: string): string;
}

// Names that are hosts of other things below the documentation's host.
const APEX_NAMES = new Set(["api", "assets", "docs", "preview", "search", "staging", "stats", "static"]);

export function urlsOf(settings: ApiSettings): Urls {
  const api = (path: string) => `${settings.publicUrl}/api/${path}`;
  return {
    api,
    package: (name) => api(`packages/${name}`),
    packagePage: (name) => `${settings.publicUrl}/packages/${name}`,
    docsPage(name, version) {
      const url = new URL(settings.docsUrl);
      const folder = version === undefined ? "" : `${version}/`;
      if (APEX_NAMES.has(name)) return `${url.origin}/${name}/${folder}`;
      return `${url.protocol}//${name.replaceAll("_", "-")}.${url.host}/${folder}`;
    },
    docsTarball: (key) => `${settings.repositoryUrl}/${key}`,
  };
}
