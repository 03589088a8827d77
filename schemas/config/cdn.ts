/** The CDN in front of the public store. */
import type { Secret } from "./secret.ts";
import type { SettingName, Values } from "./settings.ts";

interface ReadBackConfig {
  readonly readUrl: string;
  /** Whether private files are served through it. */
  readonly servesPrivate: boolean;
}

export type CdnConfig =
  | { readonly kind: "none" }
  | ({ readonly kind: "fastly"; readonly serviceId: string; readonly token: Secret } & ReadBackConfig)
  | ({ readonly kind: "varnish"; readonly purgeUrl: string; readonly token: Secret } & ReadBackConfig);

const BELONGS = {
  none: [],
  fastly: ["SKEP_FASTLY_SERVICE_ID", "SKEP_FASTLY_TOKEN"],
  varnish: ["SKEP_VARNISH_URL", "SKEP_VARNISH_TOKEN"],
} as const satisfies Readonly<Record<Values["SKEP_CDN"], readonly SettingName[]>>;

const NONE: CdnConfig = { kind: "none" };

/** @param repositoryUrl through which is read back unless something else is given */
export function cdnConfig(values: Values, repositoryUrl: string, problems: string[]): CdnConfig {
  const kind = values.SKEP_CDN;
  for (const [other, names] of Object.entries(BELONGS)) {
    for (const name of names) {
      const isSet = values[name] !== undefined;
      if (other === kind && !isSet) problems.push(`${name} is missing, which SKEP_CDN=${kind} needs`);
      if (other !== kind && isSet) problems.push(`${name} is set, but SKEP_CDN is ${kind}`);
    }
  }
  if (kind === "none" && values.SKEP_CDN_URL !== undefined)
    problems.push("SKEP_CDN_URL is set, but SKEP_CDN is none");
  if (kind === "none" && values.SKEP_CDN_PRIVATE)
    problems.push("SKEP_CDN_PRIVATE is on, but SKEP_CDN is none");
  const readBack = {
    readUrl: values.SKEP_CDN_URL ?? repositoryUrl,
    servesPrivate: values.SKEP_CDN_PRIVATE,
  };
  if (kind === "fastly") {
    const { SKEP_FASTLY_SERVICE_ID: serviceId, SKEP_FASTLY_TOKEN: token } = values;
    return serviceId === undefined || token === undefined ? NONE : { kind, serviceId, token, ...readBack };
  }
  if (kind === "varnish") {
    const { SKEP_VARNISH_URL: purgeUrl, SKEP_VARNISH_TOKEN: token } = values;
    return purgeUrl === undefined || token === undefined ? NONE : { kind, purgeUrl, token, ...readBack };
  }
  return NONE;
}
