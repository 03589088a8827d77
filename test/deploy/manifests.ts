/** The Kubernetes manifests, as far as tests look at them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly envFrom: readonly {
    readonly configMapRef?: { name: string };
    readonly secretRef?: { name: string };
  }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly resources: { readonly requests: object; readonly limits: { readonly memory: string } };
  readonly securityContext: object;
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly: boolean;
  }[];
}
export interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly enableServiceLinks: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext: object;
  readonly containers: readonly [Container];
  readonly volumes?: readonly { readonly name: string; readonly secret: { readonly secretName: string } }[];
}
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly resources?: readonly string[];
  readonly spec: {
    readonly replicas?: number;
    readonly minReplicas?: number;
    readonly maxUnavailable?: number;
    readonly scaleTargetRef?: { readonly name: string };
    readonly selector?: { readonly matchLabels?: { readonly app: string }; readonly app?: string };
    readonly podSelector?: { readonly matchLabels?: { readonly app: string } };
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly { readonly ports: readonly { readonly port: string | number }[] }[];
    readonly template: {
      readonly metadata: { readonly labels: { readonly app: string } };
      readonly spec: PodSpec;
    };
  };
}

const FOLDER = join(import.meta.dirname, "../../deploy/kubernetes");

/** By file name. @throws Error for what is no YAML, or doubtful. */
export function readManifests(): ReadonlyMap<string, readonly Manifest[]> {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".yaml"));
  return new Map(
    files.map((file) => {
      const documents = parseAllDocuments(readFileSync(join(FOLDER, file), "utf8"), { uniqueKeys: true });
      for (const document of documents as Exclude<typeof documents, { empty: true }>) {
        const [problem] = [...document.errors, ...document.warnings];
        if (problem !== undefined) throw new Error(`${file}: ${problem.message}`);
      }
      return [file, [...documents].map((document) => document.toJS() as Manifest)];
    }),
  );
}
