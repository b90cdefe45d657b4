/** What users write and what Sallyport writes into their objects. */
const DOMAIN = "sallyport.dev";

/** On a namespace: whether, and how, its pods are admitted at all. */
export const INJECTION_LABEL = `${DOMAIN}/injection`;
/** Namespaces that no webhook covers whatever their label, and the installation's own is another: clusters mend themselves there. */
export const NEVER_COVERED: readonly string[] = ["kube-system"];
/** On a pod (or, carried there, on its workload): "true" or "false". */
export const INJECT = `${DOMAIN}/inject`;
/** In a pod template: the value that the workload webhook has put there. */
export const CARRIED = `${DOMAIN}/carried`;
/** What was injected; information, never evidence. */
export const STATUS = `${DOMAIN}/status`;
export const PREFIX = `${DOMAIN}/`;

export const INIT_CONTAINER = "sallyport-init";
export const PROXY_CONTAINER = "sallyport-proxy";
/** At most 15 characters (IANA service name, RFC 6335 §5.1). */
export const READY_PORT_NAME = "sallyport-ready";
export const OUR_CONTAINERS: readonly string[] = [INIT_CONTAINER, PROXY_CONTAINER];
/** Names of volumes that begin so are ours, whether or not there is one today. */
export const VOLUME_PREFIX = "sallyport-";
/** Of the token by which the sidecar asks for its policy, and of the last one it was given. */
export const TOKEN_VOLUME = `${VOLUME_PREFIX}token`;
export const STATE_VOLUME = `${VOLUME_PREFIX}state`;
export const CA_BUNDLE_VOLUME = `${VOLUME_PREFIX}ca-bundle`;
