import { describe, expect, it } from "vitest";
import {
  readApiConfig,
  readEdgeConfig,
  readGeneratorConfig,
  readToolConfig,
} from "../../schemas/config/config.ts";
import type { Source } from "../../schemas/config/read.ts";
import { type Manifest, readManifests } from "./manifests.ts";

const files = readManifests();
const manifests = [...files.values()].flat();
const named = (kind: string, name: string) => {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
};
const podOf = ({ spec }: Manifest) => spec.template.spec;

const WORKLOADS = {
  api: named("Deployment", "skep-api"),
  generator: named("Deployment", "skep-generator"),
  edge: named("Deployment", "skep-edge"),
  migrate: named("Job", "skep-migrate"),
} as const;
type Role = keyof typeof WORKLOADS;
const ROLES = Object.keys(WORKLOADS) as readonly Role[];
const SERVICES = ["api", "generator", "edge"] as const;
const READERS: Readonly<Record<Role, (source: Source) => unknown>> = {
  api: readApiConfig,
  generator: readGeneratorConfig,
  edge: readEdgeConfig,
  migrate: readToolConfig,
};

/** What Kubernetes and the image set in the environment of the container. */
function environmentOf(role: Role): Readonly<Record<string, string>> {
  const [container] = podOf(WORKLOADS[role]).containers;
  const parts = container.envFrom.map(({ configMapRef, secretRef }) =>
    configMapRef === undefined
      ? named("Secret", secretRef?.name ?? "").stringData
      : named("ConfigMap", configMapRef.name).data,
  );
  return Object.assign({ SKEP_HOST: "0.0.0.0", SKEP_HEALTH_PORT: "9000" }, ...parts);
}

/** The secrets that a workload can see. */
function secretsOf(role: Role): readonly string[] {
  const { containers, volumes = [] } = podOf(WORKLOADS[role]);
  const mounted = volumes.map(({ secret }) => secret.secretName);
  return [...containers[0].envFrom.flatMap(({ secretRef }) => secretRef?.name ?? []), ...mounted].sort();
}

describe.each(ROLES)("%s", (role) => {
  const pod = podOf(WORKLOADS[role]);
  const [container] = pod.containers;

  it("is configured so that it starts, and with nothing that it refuses", () => {
    const environment = environmentOf(role);
    expect(() => READERS[role]({ environment, readFile: () => "" })).not.toThrow();
    for (const value of Object.values(environment)) expect(typeof value).toBe("string");
    expect(container.args).toEqual([role]);
    // Otherwise SKEP_API_PORT and its like of each Service are in it, which are refused as unknown settings.
    expect(pod.enableServiceLinks).toBe(false);
  });

  it("runs as nobody, on a read-only file system, within bounds", () => {
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 10001,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(container.resources.limits.memory).toMatch(/^\d+[MG]i$/);
    for (const { readOnly } of container.volumeMounts ?? []) expect(readOnly).toBe(true);
  });

  it("finds the files that its settings name", () => {
    const folders = (container.volumeMounts ?? []).map(({ name, mountPath }) => {
      const secret = pod.volumes?.find((volume) => volume.name === name)?.secret.secretName ?? "";
      return Object.keys(named("Secret", secret).stringData ?? {}).map((file) => `${mountPath}/${file}`);
    });
    const files = Object.entries(environmentOf(role)).flatMap(([name, value]) =>
      name.endsWith("_FILE") ? [value] : [],
    );
    expect(folders.flat()).toEqual(files);
  });

  it("sees its own secrets alone", () => {
    expect(secretsOf(role)).toEqual(
      {
        api: ["skep-api", "skep-token-key"],
        generator: ["skep-generator", "skep-signing-key"],
        edge: ["skep-edge"],
        migrate: ["skep-migrate"],
      }[role],
    );
  });
});

it("the signing key and the CDN's token are the generator's", () => {
  for (const role of ROLES) {
    const holds = Object.keys(environmentOf(role)).some((name) =>
      /SIGNING_KEY|FASTLY_TOKEN|VARNISH_TOKEN/.test(name),
    );
    expect([role, holds || secretsOf(role).includes("skep-signing-key")]).toEqual([
      role,
      role === "generator",
    ]);
  }
});

describe.each(SERVICES)("the service %s", (role) => {
  const { spec } = WORKLOADS[role];
  const [container] = spec.template.spec.containers;

  it("is asked whether it has started, lives and is ready, on the port that the image says", () => {
    const { startupProbe, livenessProbe, readinessProbe, ports = [] } = container;
    const asked = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet);
    expect(asked).toEqual(["/started", "/live", "/ready"].map((path) => ({ path, port: "health" })));
    expect(ports.find(({ name }) => name === "health")?.containerPort).toBe(9000);
  });

  it("is there twice at least, while nodes are drained as well, and ends what it has begun", () => {
    const replicas = spec.replicas ?? named("HorizontalPodAutoscaler", `skep-${role}`).spec.minReplicas ?? 0;
    expect(replicas).toBeGreaterThanOrEqual(2);
    expect(named("PodDisruptionBudget", `skep-${role}`).spec).toMatchObject({
      maxUnavailable: 1,
      selector: { matchLabels: { app: `skep-${role}` } },
    });
    expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(30 + 30);
    expect(spec.selector?.matchLabels).toEqual(spec.template.metadata.labels);
  });

  it("is reached by whom it serves alone", () => {
    const { ingress = [], policyTypes } = named("NetworkPolicy", `skep-${role}`).spec;
    expect(policyTypes).toContain("Ingress");
    const reachable = ingress.flatMap(({ ports }) => ports.map(({ port }) => port)).sort();
    expect(reachable).toEqual(role === "generator" ? ["health"] : ["health", "http"]);
  });
});

it("there are two generators, whatever the load: a third would have nothing to do", () => {
  expect(WORKLOADS.generator.spec.replicas).toBe(2);
  expect(
    manifests.filter(
      ({ kind, spec }) =>
        kind === "HorizontalPodAutoscaler" && spec.scaleTargetRef?.name === "skep-generator",
    ),
  ).toEqual([]);
});

it("nothing else may be reached", () => {
  expect(named("NetworkPolicy", "skep-nothing").spec).toEqual({
    podSelector: {},
    policyTypes: ["Ingress", "Egress"],
  });
});

it("every manifest is applied but the examples of secrets", () => {
  const [kustomization] = files.get("kustomization.yaml") ?? [];
  const wanted = [...files.keys()].filter(
    (file) => !["kustomization.yaml", "secrets.example.yaml"].includes(file),
  );
  expect([...(kustomization?.resources ?? [])].sort()).toEqual(wanted.sort());
  const elsewhere = [...files]
    .filter(([, all]) => all.some(({ kind }) => kind === "Secret"))
    .map(([file]) => file);
  expect(elsewhere).toEqual(["secrets.example.yaml"]);
  for (const { stringData = {} } of files.get("secrets.example.yaml") ?? [])
    for (const value of Object.values(stringData)) expect(value).toContain("replace");
});
