import { InjectionOptions } from "@sallyport/controller/admission/options";
import { template } from "./helm.ts";
import { type KubernetesObject, objectsOf, the } from "./objects.ts";
import { SCENARIOS } from "./scenarios.ts";

/** What the chart makes of these values, but for its hooks. */
export const rendered = (values: object, ...options: readonly string[]): KubernetesObject[] =>
  objectsOf(template(values, "--no-hooks", ...options));

/** The values of one of the documented scenarios. */
export function scenario(name: string): object {
  const values = SCENARIOS[name];
  if (!values) throw new Error(`no scenario "${name}"`);
  return values;
}

/** Each way to come by a certificate. */
export const CERTIFICATE_SOURCES: readonly object[] = [
  {},
  scenario("certificates by cert-manager"),
  scenario("certificates from files"),
];

export const configurationsIn = (objects: readonly KubernetesObject[]): KubernetesObject[] =>
  objects.filter(({ kind }) => kind.endsWith("WebhookConfiguration"));

// biome-ignore lint/suspicious/noExplicitAny: of two kinds
export const webhooksIn = (objects: readonly KubernetesObject[]): any[] =>
  configurationsIn(objects).flatMap(({ webhooks }) => webhooks);

/** The controller's configuration, as the controller reads it. */
export const configIn = (objects: readonly KubernetesObject[]): InjectionOptions =>
  InjectionOptions.parse(JSON.parse(the("ConfigMap", objects, "sallyport").data["config.json"]));

// biome-ignore lint/suspicious/noExplicitAny: of the API
export const containerIn = (objects: readonly KubernetesObject[]): any =>
  the("Deployment", objects).spec.template.spec.containers[0];
