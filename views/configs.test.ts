import { expect, it } from "vitest";
import { configs } from "./configs.ts";

it.each([
  ["pear", "pear", "1.2.3", '{:pear, "~> 1.2"}', '{pear, "1.2.3"}', "dep_pear = hex 1.2.3"],
  ["pear", "pear", "0.2.3", '{:pear, "~> 0.2.3"}', '{pear, "0.2.3"}', "dep_pear = hex 0.2.3"],
  [
    "pear",
    "pear",
    "1.2.3-rc.1",
    '{:pear, "~> 1.2.3-rc.1"}',
    '{pear, "1.2.3-rc.1"}',
    "dep_pear = hex 1.2.3-rc.1",
  ],
  [
    "pear",
    "fruit",
    "1.2.3",
    '{:fruit, "~> 1.2", hex: :pear}',
    '{fruit, "1.2.3", {pkg, pear}}',
    "dep_pear = hex 1.2.3",
  ],
  [
    "pear",
    "Fruit-1",
    "1.2.3",
    '{:"Fruit-1", "~> 1.2", hex: :pear}',
    `{'Fruit-1', "1.2.3", {pkg, pear}}`,
    "dep_pear = hex 1.2.3",
  ],
])("7.13: %s as %s at %s", (name, app, version, mix, rebar, make) => {
  expect(configs(name, app, version)).toEqual({ "mix.exs": mix, "rebar.config": rebar, "erlang.mk": make });
});

it("7.13: a private package names its organization, last", () => {
  expect(configs("pear", "pear", "1.2.3", "acme")["mix.exs"]).toBe('{:pear, "~> 1.2", organization: "acme"}');
  expect(configs("pear", "fruit", "1.2.3", "acme")["mix.exs"]).toBe(
    '{:fruit, "~> 1.2", hex: :pear, organization: "acme"}',
  );
});
