declare module "falco-js" {
  import type { Findings } from "./fastly-vcl.ts";
  /** @param options with `diagnosticsOnly` false the syntax tree comes along */
  export function lintText(text: string, options: { readonly diagnosticsOnly: boolean }): Promise<Findings>;
}
