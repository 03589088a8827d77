/** The list of entry points. */

import { urlsOf } from "../../views/urls.ts";
import type { Handler } from "../call.ts";

export const showIndex: Handler = async ({ deps }) => {
  const { api } = urlsOf(deps.settings);
  return {
    status: 200,
    body: {
      packages_url: api("packages"),
      package_url: api("packages/{name}"),
      package_retirement_url: api("packages/{name}/retire"),
      package_release_url: api("packages/{name}/releases/{version}"),
      package_owners_url: api("packages/{name}/owners"),
      keys_url: api("keys"),
      key_url: api("keys/{name}"),
      documentation_url: "http://docs.hexpm.apiary.io",
    },
  };
};
